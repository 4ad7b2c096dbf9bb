internal import Codec
internal import TemplateEngine

/// The API's answer through a template of the user's (`-t`): objects are maps, whole numbers stay whole.
func renderTemplate(_ text: String, over value: JSONValue) throws(CommandFailure) -> String {
  var template = Template("format")
  do {
    try template.parse(ByteString(text))
    return try template.render(try TemplateValue(json: JSON.encode(value))).description
  } catch {
    throw CommandFailure("Error formatting the data: the template of -t is not right: \(error)")
  }
}
