#include "server/care/new_store.hpp"

#include "server/random.hpp"
#include "server/storage/rocksdb_options.hpp"
#include "server/storage/row.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace pulsewire::care {

namespace row = shell::row;

struct new_store::parts {
    std::string folder;
    std::unique_ptr<rocksdb::DB> db;
    rocksdb::WriteBatch batch;

    void check(const rocksdb::Status& s) const {
        if (!s.ok()) throw std::runtime_error("writing to " + folder + " failed: " + s.ToString());
    }
};

new_store::new_store(const std::string& folder) : parts_(std::make_unique<parts>()) {
    parts_->folder = folder;
    rocksdb::Options o = shell::rocksdb_options(rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords);
    o.error_if_exists = true;
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status s = rocksdb::DB::Open(o, folder, &opened);
    parts_->db.reset(opened);
    parts_->check(s);
}

new_store::~new_store() {
    if (parts_->db) parts_->db->Close().PermitUncheckedError();
}

void new_store::put_header(const header_facts& header) {
    const auto number = [this](std::string_view key, std::uint64_t value) {
        put(key, row::value(key, value));
    };
    const bool has_secret = header.secret_first && header.secret_second;
    number(row::format, row::format_version);
    number(row::store_id, header.store_id.value_or(shell::random_bits()));
    number(row::generation, header.generation.value_or(0));
    number(row::secret_first, has_secret ? *header.secret_first : shell::random_bits());
    number(row::secret_second, has_secret ? *header.secret_second : shell::random_bits());
}

void new_store::put(std::string_view key, std::string_view value) {
    constexpr std::size_t batch_bytes = 1 << 20;
    const rocksdb::Status s =
        parts_->batch.Put(rocksdb::Slice(key.data(), key.size()), rocksdb::Slice(value.data(), value.size()));
    parts_->check(s);
    if (parts_->batch.GetDataSize() >= batch_bytes) write();
}

void new_store::write() {
    rocksdb::WriteOptions unlogged;
    // A folder that is not finished is worth nothing, so its log would be work for nothing.
    unlogged.disableWAL = true;
    parts_->check(parts_->db->Write(unlogged, &parts_->batch));
    parts_->batch.Clear();
}

void new_store::finish() {
    write();
    parts_->check(parts_->db->Flush(rocksdb::FlushOptions()));
    parts_->check(parts_->db->SyncWAL());
    parts_->check(parts_->db->Close());
    parts_->db.reset();
}

}  // namespace pulsewire::care
