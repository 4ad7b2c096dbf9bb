public import Cron
internal import Linux
internal import Synchronization

/// The time zones of this host, from the files of the tz database (tzfile(5)).
public enum TimeZoneDatabase {
  private static let folder = "/usr/share/zoneinfo"
  private static let known = Mutex<[String: TimeZone]>([:])

  /// A zone by its name in the database; "UTC" is there on every host, "Local" is the host's own. Each is read once.
  /// - Returns: nil for a name that there is no zone of.
  public static func zone(_ name: String) -> TimeZone? {
    if name == "UTC" || name.isEmpty { return .utc }
    guard isName(name) else { return nil }
    if let zone = known.withLock({ $0[name] }) { return zone }
    let path = name == "Local" ? "/etc/localtime" : "\(folder)/\(name)"
    // A host without the file, or with one that is none, has no such zone: the caller says so with the name.
    guard let bytes = try? Files.read(path, limit: TimeZone.largestFile), let zone = try? TimeZone(tzif: bytes) else {
      return nil
    }
    known.withLock { $0[name] = zone }
    return zone
  }

  /// Letters, digits and `+-_/`, no part of which can lead out of the folder.
  private static func isName(_ name: String) -> Bool {
    name.utf8.count <= 64 && !name.hasPrefix("/")
      && name.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
          || [0x2B, 0x2D, 0x2F, 0x5F].contains(byte)
      }
  }
}
