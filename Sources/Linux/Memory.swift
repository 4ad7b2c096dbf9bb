internal import CLinux

/// Memory of this process.
public enum ProcessMemory {
  /// Gives free heap pages and the pages of code back to the kernel (malloc_trim(3), MADV_DONTNEED): for a process that
  /// has done what it does only once, such as a start. Code that runs again is mapped again from the page cache, which
  /// costs microseconds.
  public static func giveBack() { serai_give_back_memory() }
}
