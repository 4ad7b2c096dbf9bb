internal import Codec

/// Lays one file's configuration over another's, as several `-config` do.
///
/// A later scalar replaces an earlier one, objects are merged member by member, lists are joined (an element that has a
/// name replaces the earlier one of that name). Both sides are in the JSON form that `agentSchema` gives.
func merged(_ earlier: JSONObject, with later: JSONObject) -> JSONObject {
  var result = earlier
  for (key, value) in later.members {
    switch (result[key], value) {
    case (.object(let old)?, .object(let new)): result[key] = .object(merged(old, with: new))
    case (.array(let old)?, .array(let new)): result[key] = .array(joined(old, new))
    default: result[key] = value
    }
  }
  return result
}

private func joined(_ old: [JSONValue], _ new: [JSONValue]) -> [JSONValue] {
  var result = old
  for element in new {
    if let name = element["Name"]?.stringValue,
      let place = result.firstIndex(where: { $0["Name"]?.stringValue == name })
    {
      result[place] = element
    } else if !result.contains(element) {
      result.append(element)
    }
  }
  return result
}
