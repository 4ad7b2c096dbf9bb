internal import Client
internal import Codec
public import HTTP
internal import Server
internal import Transport

/// What a request is answered with when it fails: a status and a text that says what is wrong.
public struct APIError: Error, Sendable, CustomStringConvertible {
  public let status: HTTPStatus
  public let message: String

  /// An error with any status.
  public init(_ status: HTTPStatus, _ message: String) {
    self.status = status
    self.message = message
  }

  /// The request makes no sense as it is.
  public static func badRequest(_ message: String) -> APIError { APIError(.badRequest, message) }
  /// What was asked for is not there.
  public static func notFound(_ message: String) -> APIError { APIError(.notFound, message) }

  public var description: String { message }

  var response: HTTPResponse { .text(message, status: status) }

  /// The one translation from the errors below to HTTP.
  init(_ error: any Error) {
    switch error {
    case let error as APIError: self = error
    case let error as ServerError:
      let status: HTTPStatus =
        switch error.kind {
        case .invalid: .badRequest
        case .notFound: .notFound
        case .permissionDenied: .forbidden
        case .conflict: .conflict
        case .notLeader, .uncertain: .internalServerError
        case .unavailable: .serviceUnavailable
        case .internal: .internalServerError
        }
      self.init(status, error.message)
    case let error as ClientError:
      let status: HTTPStatus =
        switch error.code {
        case .notFound: .notFound
        case .invalid: .badRequest
        case .forbidden: .forbidden
        case .conflict: .conflict
        default: .internalServerError
        }
      self.init(status, error.description)
    case let error as RPCError:
      let status: HTTPStatus =
        switch error.code {
        case .invalid: .badRequest
        case .notFound: .notFound
        case .permissionDenied, .unauthenticated: .forbidden
        case .conflict: .conflict
        case .deadlineExceeded: .gatewayTimeout
        case .unavailable, .noLeader, .resourceExhausted: .serviceUnavailable
        default: .internalServerError
        }
      self.init(status, error.message)
    case let error as CodecError: self.init(.badRequest, "the body can't be read: \(error)")
    case is CancellationError: self.init(.serviceUnavailable, "the request was given up")
    default: self.init(.internalServerError, "\(error)")
    }
  }
}
