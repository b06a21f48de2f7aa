#include "server/storage/rocksdb_options.hpp"

#include "server/log.hpp"

#include <rocksdb/env.h>

#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <memory>

namespace pulsewire::shell {
namespace {

// RocksDB writes a file about what it does into the folder, and its assertions end the process when that file
// cannot be written because the disk is full. What it warns of goes to the server's log instead.
class warnings_of_rocksdb final : public rocksdb::Logger {
public:
    warnings_of_rocksdb() : Logger(rocksdb::WARN_LEVEL) {}
    using Logger::Logv;
    void Logv(const char* form, va_list arguments) override {
        if (!log::enabled(log::level::debug)) return;
        constexpr std::size_t shown_bytes_max = 512;
        char text[shown_bytes_max];
        std::vsnprintf(text, sizeof text, form, arguments);
        for (char* c = text; *c != '\0'; ++c)
            if (*c < ' ') *c = ' ';
        log::debug("RocksDB: ", text);
    }
};

}  // namespace

rocksdb::Options rocksdb_options(rocksdb::WALRecoveryMode recovery, rocksdb::Env* env) {
    rocksdb::Options o;
    if (env != nullptr) o.env = env;
    // The shard's memory is the cache, so RocksDB needs little of its own: small buffers, few files.
    o.create_if_missing = true;
    o.paranoid_checks = true;
    // The caller chooses how much of a damaged end of the log is tolerated.
    o.wal_recovery_mode = recovery;
    // A missing or cut log file is then an error at the start instead of a silent loss.
    o.track_and_verify_wals_in_manifest = true;
    o.write_buffer_size = 16 << 20;
    o.max_total_wal_size = 64 << 20;
    // Bounded, because descriptors are needed for connections.
    o.max_open_files = 128;
    o.info_log = std::make_shared<warnings_of_rocksdb>();
    return o;
}

}  // namespace pulsewire::shell
