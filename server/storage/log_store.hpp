#pragma once

// The durable log: a folder on the disk that holds the result of hub::store_op values. RocksDB
// keeps the files (docs/decisions/0006-durable-log.md). Everything is read once at the start;
// after that the store only writes.

#include "common/base/keyed_hash.hpp"
#include "common/exchange/store.hpp"
#include "common/protocol/codes.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rocksdb {
class Env;
}

namespace pulsewire::shell {

class log_store {
public:
    // The folder in the data folder in which `pulsewired repair` works. It is gone when the repair is
    // complete; with a file `plan` in it, files are being exchanged, and no server may open what is there.
    static constexpr const char* unfinished_repair = "repair.part";

    // Opens the folder, or makes it. Throws std::runtime_error with a sentence for the operator
    // that names the fault and the remedy. `env` is the file system, null for that of the
    // operating system; it outlives the store.
    explicit log_store(const std::string& folder, rocksdb::Env* env = nullptr);
    ~log_store();  // flushes and closes
    log_store(const log_store&) = delete;
    log_store& operator=(const log_store&) = delete;

    // These go into hub::config.
    std::uint64_t id() const;
    const hash_key& secret() const;
    std::uint64_t generation() const;

    struct contents {
        std::vector<hub::restored_channel> channels;
        std::vector<hub::restored_key> keys;  // oldest first
        std::size_t publications = 0;
        // Sentences for the log about damaged rows that were left out.
        std::vector<std::string> damaged;
    };
    // Returns everything that is kept. Throws std::runtime_error when the files
    // are damaged beyond single rows.
    contents load();

    struct failure {
        error_code code = error_code::storage_failed;  // or storage_full: writing may work again later
        std::string text;
    };
    // Carries out the operations in their order, all or none, and returns when they would survive a loss of
    // power, or the failure. After storage_failed nothing is written any more, because nobody knows which
    // writes the kernel dropped when an fsync failed.
    std::optional<failure> write(std::span<const hub::store_op> ops);
    // Makes a copy of everything that is safe, in a folder beside the files that it shares with this one;
    // `folder` does not exist yet. Returns nothing, or why it cannot. By whom write() is called.
    std::optional<std::string> checkpoint(const std::string& folder);

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace pulsewire::shell
