import Glibc
import Synchronization

/// The temporary files and folders of outputs that are not complete.
///
/// A program that is interrupted does not run the ends of its objects; it can call ``removeAll()``
/// instead. One that is killed leaves them behind, with names that end in `.partial`.
package enum Unfinished {
  private static let paths = Mutex<Set<String>>([])

  static func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }

  static func forget(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Removes all of them.
  package static func removeAll() {
    // Two rounds: another thread may add a file to a folder while it is being removed.
    for path in paths.withLock({ $0.sorted() + $0.sorted() }) {
      unsafe _ = unlink(path)
      removeFolder(path)
    }
  }
}

/// Removes a folder and all in it; links are removed, not followed.
func removeFolder(_ path: String) {
  var folders = [path]
  var position = 0
  while position < folders.count {
    for name in folderEntries(of: folders[position]) {
      let entry = folders[position] + "/" + name
      var status = stat()
      if unsafe lstat(entry, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
        folders.append(entry)
      } else {
        unsafe _ = unlink(entry)
      }
    }
    position += 1
  }
  for folder in folders.reversed() { unsafe _ = rmdir(folder) }
}
