internal import CCap

/// Capabilities (capabilities(7)) by libcap's names.
public enum Capability {
  /// The documented default set of isolated tasks.
  public static let defaultNames = [
    "audit_write", "chown", "dac_override", "fowner", "fsetid", "kill", "mknod", "net_bind_service", "setfcap",
    "setgid",
    "setpcap", "setuid", "sys_chroot",
  ]

  /// The number of a capability; with or without the "cap_" prefix, case ignored. nil for an unknown name.
  public static func number(of name: String) -> Int32? {
    let lower = name.lowercased()
    // cap_from_name(3) also takes plain numbers and the word "all"'s prefixes: only letters and "_" are names here.
    guard !lower.isEmpty, lower.utf8.allSatisfy({ ($0 >= 97 && $0 <= 122) || $0 == 95 }) else { return nil }
    var value = cap_value_t()
    let full = lower.hasPrefix("cap_") ? lower : "cap_" + lower
    guard cap_from_name(full, &value) == 0 else { return nil }
    return Int32(value)
  }

  /// The set as a bit mask.
  ///
  /// - Throws: SandboxError for an unknown name: a misspelt capability is refused, never dropped.
  public static func mask(of names: [String]) throws(SandboxError) -> UInt64 {
    var mask: UInt64 = 0
    for name in names {
      guard let number = number(of: name) else {
        throw SandboxError("capabilities", name, "no such capability; see capabilities(7) for the names")
      }
      mask |= 1 << UInt64(number)
    }
    return mask
  }

  /// A base set with names taken away and then added, as `cap_drop` and `cap_add` mean it; "all" stands for every one.
  public static func names(base: [String] = defaultNames, add: [String], drop: [String]) throws(SandboxError)
    -> [String]
  {
    func normalized(_ name: String) throws(SandboxError) -> String {
      let lower = name.lowercased()
      let short = lower.hasPrefix("cap_") ? String(lower.dropFirst(4)) : lower
      if short != "all", number(of: short) == nil {
        throw SandboxError("capabilities", name, "no such capability; see capabilities(7) for the names")
      }
      return short
    }
    var set = Set(base)
    for name in drop {
      let name = try normalized(name)
      if name == "all" { set = [] } else { set.remove(name) }
    }
    for name in add {
      let name = try normalized(name)
      if name == "all" { set.formUnion(allNames) } else { set.insert(name) }
    }
    return set.sorted()
  }

  /// Every name that libcap knows, in the kernel's order.
  public static let allNames: [String] = (0..<64).compactMap { number in
    guard let text = cap_to_name(cap_value_t(number)) else { return nil }
    defer { cap_free(text) }
    let name = String(cString: text)
    // libcap writes the number itself for what it has no name for.
    return name.hasPrefix("cap_") ? String(name.dropFirst(4)) : nil
  }
}
