internal import Codec
internal import FilterExpression
internal import HTTP
internal import Model
internal import Server
internal import State

/// What the list endpoints have in common: waiting, prefixes, namespaces and pages.
extension APIRequest {
  /// Waits as the query asks, then answers with the state to read from.
  /// - Parameters:
  ///   - keys: what a change of can be news.
  ///   - index: the index of the answer in a state; the query waits until it is greater than the one it gave.
  func read(
    _ context: APIContext, watching keys: [WatchKey], index: @escaping @Sendable (StateReader) -> UInt64
  ) async throws(APIError) -> (state: StateReader, index: UInt64) {
    let server = try context.theServer()
    guard let blocking = try blocking() else {
      let state = server.reader
      return (state, index(state))
    }
    let deadline = server.now + blocking.wait
    let state = await server.reader(watching: keys, deadline: deadline) { index($0) > blocking.index }
    return (state, index(state))
  }

  /// One page of an ordered list, with the header that says where the next one begins.
  /// - Parameter key: the token of an element: its place in the order.
  func page<Element: FieldValue>(
    _ elements: [Element], index: UInt64, key: (Element) -> String
  ) throws(APIError) -> HTTPResponse {
    var headers = indexHeaders(index)
    var elements = elements
    if try flag("reverse") { elements.reverse() }
    if let token = query["next_token"], !token.isEmpty {
      guard let start = elements.firstIndex(where: { key($0) == token }) else {
        // The element that began the page is gone: go on behind where it stood.
        let rest = try flag("reverse") ? elements.drop { key($0) > token } : elements.drop { key($0) < token }
        return try cut(Array(rest), &headers, key)
      }
      elements = Array(elements[start...])
    }
    return try cut(elements, &headers, key)
  }

  private func cut<Element: FieldValue>(
    _ elements: [Element], _ headers: inout HTTPHeaders, _ key: (Element) -> String
  ) throws(APIError) -> HTTPResponse {
    guard let size = try integer("per_page"), size > 0, elements.count > Int(size) else {
      return try json(elements, headers: headers)
    }
    headers["X-Nomad-NextToken"] = key(elements[Int(size)])
    return try json(Array(elements.prefix(Int(size))), headers: headers)
  }

  /// Those that the query's filter selects; all when it has none.
  /// - Parameters:
  ///   - record: what the filter looks at: the whole record, also where the list shows less of it.
  ///   - filter: instead of the query's.
  func selected<Element, R: Record>(
    _ elements: [Element], by record: (Element) -> R, filter: String? = nil
  ) throws(APIError) -> [Element] {
    guard let text = filter ?? query["filter"], !text.isEmpty else { return elements }
    do throws(FilterError) {
      let filter = try FilterExpression(text)
      var found: [Element] = []
      for element in elements where try filter.selects(record(element)) { found.append(element) }
      return found
    } catch {
      throw .badRequest("the query's filter: \(error)")
    }
  }

  /// Whether something of `namespace` belongs into the answer.
  func includes(_ namespace: String) -> Bool { self.namespace == "*" || self.namespace == namespace }

  /// The records whose id begins with the query's prefix, or all.
  func matching<Value: Sendable>(
    _ table: OrderedTable<Identifier, Shared<Value>>, _ state: StateReader
  ) throws(APIError) -> [Shared<Value>] {
    guard let prefix = query["prefix"], !prefix.isEmpty else { return table.map { $0.1 } }
    guard IdentifierPrefix(prefix) != nil else {
      throw .badRequest("\"\(prefix)\" can't begin an id: ids are hexadecimal digits and hyphens")
    }
    return state.matches(prefix, in: table)
  }
}
