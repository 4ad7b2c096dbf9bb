/// The user a task runs as: ids of the host (there is no user namespace yet) and what the environment says about them.
public struct Account: Sendable, Equatable {
  /// Login name; the number as text when /etc/passwd has no line for it.
  public var name: String
  /// User id.
  public var uid: UInt32
  /// Primary group id.
  public var gid: UInt32
  /// Supplementary groups, the primary one left out.
  public var groups: [UInt32]
  /// Home directory.
  public var home: String

  /// An account.
  public init(name: String, uid: UInt32, gid: UInt32, groups: [UInt32], home: String) {
    self.name = name
    self.uid = uid
    self.gid = gid
    self.groups = groups
    self.home = home
  }
}

/// Looks users up in the text of passwd(5) and group(5) files. Pure: a static program has no NSS, and the files are
/// those of the task's root.
public struct Accounts: Sendable {
  private struct User {
    var name: String
    var uid: UInt32
    var gid: UInt32
    var home: String
  }
  private let users: [User]
  private let groups: [(gid: UInt32, members: [Substring])]

  /// Parses both files; lines that break their format are skipped, as NSS does.
  public init(passwd: String, group: String) {
    users = passwd.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count >= 7, !fields[0].isEmpty, let uid = Self.id(fields[2]), let gid = Self.id(fields[3]) else {
        return nil
      }
      return User(name: String(fields[0]), uid: uid, gid: gid, home: String(fields[5]))
    }
    groups = group.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count >= 4, let gid = Self.id(fields[2]) else { return nil }
      return (gid, fields[3].split(separator: ","))
    }
  }

  /// The account of a name or a decimal id; nil when neither fits. "nobody" is always known (65534, nogroup): it is
  /// the default user, and a minimal root may have no passwd file.
  public func account(_ user: String) -> Account? {
    if let found = users.first(where: { $0.name == user }) { return account(of: found) }
    if let uid = Self.id(Substring(user)) {
      if let found = users.first(where: { $0.uid == uid }) { return account(of: found) }
      return Account(name: user, uid: uid, gid: Self.nogroup, groups: [], home: "/")
    }
    if user == "nobody" { return Account(name: user, uid: Self.nogroup, gid: Self.nogroup, groups: [], home: "/") }
    return nil
  }

  private func account(of user: User) -> Account {
    let member = groups.filter { $0.gid != user.gid && $0.members.contains(Substring(user.name)) }.map(\.gid)
    return Account(
      name: user.name, uid: user.uid, gid: user.gid, groups: member, home: user.home.isEmpty ? "/" : user.home)
  }

  private static let nogroup: UInt32 = 65534

  /// A decimal id of ASCII digits, below 2^32 - 1 (which means "no change" to the kernel).
  private static func id(_ text: Substring) -> UInt32? {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let value = UInt32(text), value != .max,
      text.count == 1 || text.first != "0"
    else { return nil }
    return value
  }
}
