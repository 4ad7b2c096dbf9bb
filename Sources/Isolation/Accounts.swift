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
/// those of the task's root. Nothing is read ahead: a task is started for one user, and its host may have thousands.
public struct Accounts: Sendable {
  private struct User {
    var name: String
    var uid: UInt32
    var gid: UInt32
    var home: String
  }
  private let passwd: [UInt8]
  private let group: [UInt8]

  /// Both files' bytes; lines that break their format are skipped, as NSS does.
  public init(passwd: [UInt8], group: [UInt8]) {
    self.passwd = passwd
    self.group = group
  }

  /// Both files' text.
  public init(passwd: String, group: String) { self.init(passwd: Array(passwd.utf8), group: Array(group.utf8)) }

  /// The account of a name or a decimal id; nil when neither fits. "nobody" is always known (65534, nogroup): it is
  /// the default user, and a minimal root may have no passwd file.
  public func account(_ user: String) -> Account? {
    let name = Array(user.utf8)
    if let found = find({ fields, _ in fields[0].elementsEqual(name) }) { return account(of: found) }
    if let uid = Self.id(name[...]) {
      if let found = find({ _, id in id == uid }) { return account(of: found) }
      return Account(name: user, uid: uid, gid: Self.nogroup, groups: [], home: "/")
    }
    if user == "nobody" { return Account(name: user, uid: Self.nogroup, gid: Self.nogroup, groups: [], home: "/") }
    return nil
  }

  /// The first well-formed line that `matches`, given its fields and its user id.
  private func find(_ matches: ([ArraySlice<UInt8>], UInt32) -> Bool) -> User? {
    for line in Self.lines(of: passwd) {
      let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      guard fields.count >= 7, !fields[0].isEmpty, let uid = Self.id(fields[2]), let gid = Self.id(fields[3]),
        matches(fields, uid)
      else { continue }
      return User(name: Self.text(fields[0]), uid: uid, gid: gid, home: Self.text(fields[5]))
    }
    return nil
  }

  private func account(of user: User) -> Account {
    let name = Array(user.name.utf8)
    var groups: [UInt32] = []
    for line in Self.lines(of: group) {
      let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      guard fields.count >= 4, !fields[3].isEmpty, let gid = Self.id(fields[2]), gid != user.gid,
        fields[3].split(separator: UInt8(ascii: ",")).contains(where: { $0.elementsEqual(name) })
      else { continue }
      groups.append(gid)
    }
    return Account(
      name: user.name, uid: user.uid, gid: user.gid, groups: groups, home: user.home.isEmpty ? "/" : user.home)
  }

  private static let nogroup: UInt32 = 65534

  private static func lines(of bytes: [UInt8]) -> some Sequence<ArraySlice<UInt8>> {
    bytes.split(separator: UInt8(ascii: "\n"))
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  /// A decimal id of ASCII digits, below 2^32 - 1 (which means "no change" to the kernel).
  private static func id(_ text: ArraySlice<UInt8>) -> UInt32? {
    guard !text.isEmpty, text.count <= 10, text.allSatisfy({ $0 >= 48 && $0 <= 57 }),
      text.count == 1 || text.first != 48
    else { return nil }
    let value = text.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 48) }
    return value < UInt64(UInt32.max) ? UInt32(value) : nil
  }
}
