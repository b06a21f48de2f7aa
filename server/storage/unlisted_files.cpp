#include "server/storage/unlisted_files.hpp"

#include "server/storage/rocksdb_options.hpp"
#include "server/storage/row.hpp"

#include <rocksdb/db.h>
#include <rocksdb/metadata.h>
#include <rocksdb/sst_file_reader.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <set>
#include <string_view>
#include <system_error>
#include <vector>

namespace pulsewire::shell {
namespace {

bool has_row(rocksdb::DB& db, std::string_view key, std::string& value) {
    return db.Get({}, rocksdb::Slice(key.data(), key.size()), &value).ok();
}

// Whether the row is a publication of a channel that the database has, after all of it.
bool is_newer(rocksdb::DB& db, rocksdb::Iterator& at, std::string_view key) {
    const auto where = row::place_of(key);
    std::string value;
    if (!where || !has_row(db, row::channel_key(where->channel), value)) return false;
    at.SeekForPrev(row::publication_key(where->channel, std::numeric_limits<std::uint64_t>::max()));
    if (!at.status().ok()) return false;
    const auto newest = at.Valid() ? row::place_of(at.key().ToStringView()) : std::nullopt;
    if (newest && newest->channel == where->channel) return where->offset > newest->offset;
    const auto channel = row::read_channel(row::channel_key(where->channel), value);
    return channel && where->offset > channel->head;
}

}  // namespace

std::optional<std::string> file_lost_by_list(rocksdb::DB& db, const std::string& folder) {
    std::vector<rocksdb::LiveFileMetaData> files;
    db.GetLiveFilesMetaData(&files);
    std::set<std::string> listed;
    for (const auto& f : files) listed.insert(std::filesystem::path(f.name).filename().string());
    std::string value;
    const bool is_empty = !has_row(db, row::format, value);
    const std::unique_ptr<rocksdb::Iterator> place(db.NewIterator({}));
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename().string();
        if (!name.ends_with(".sst") || listed.contains(name)) continue;
        rocksdb::SstFileReader file(rocksdb_options(rocksdb::WALRecoveryMode::kPointInTimeRecovery));
        // One that cannot be opened was never complete.
        if (!file.Open(entry.path().string()).ok()) continue;
        const std::unique_ptr<rocksdb::Iterator> at(file.NewIterator({}));
        for (at->SeekToFirst(); at->Valid(); at->Next())
            if (is_empty || is_newer(db, *place, at->key().ToStringView())) return name;
    }
    return std::nullopt;
}

}  // namespace pulsewire::shell
