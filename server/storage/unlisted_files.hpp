#pragma once

// A list of the files of a database (its MANIFEST) that was cut can be read all the same, and has fewer
// files. RocksDB removes those that it does not list, so a start would lose them in silence.

#include <optional>
#include <string>

namespace rocksdb {
class DB;
}

namespace pulsewire::shell {

// The name of a file of rows in the folder that the list must have lost: it is not in it, and has a
// publication that is newer than all that the database has of its channel. What a crash leaves unlisted has
// none. Precondition: `db` is that of the folder, and opened in a way that removes nothing.
std::optional<std::string> file_lost_by_list(rocksdb::DB& db, const std::string& folder);

}  // namespace pulsewire::shell
