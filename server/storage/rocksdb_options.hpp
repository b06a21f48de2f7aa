#pragma once

// How RocksDB is used: by the server (server/storage/log_store.hpp) and by the commands that care for its
// folder.

#include <rocksdb/options.h>

namespace pulsewire::shell {

// `recovery` says how much of a damaged end of the write-ahead log is tolerated. `env` is the file system,
// null for that of the operating system; it outlives the database.
rocksdb::Options rocksdb_options(rocksdb::WALRecoveryMode recovery, rocksdb::Env* env = nullptr);

}  // namespace pulsewire::shell
