#include "server/care/folder_reader.hpp"

#include "server/storage/rocksdb_options.hpp"
#include "server/storage/unlisted_files.hpp"

#include <rocksdb/db.h>
#include <rocksdb/metadata.h>
#include <rocksdb/sst_file_reader.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace pulsewire::care {
namespace {

using rocksdb::WALRecoveryMode;

// A key of a row is shorter: a kind, a time, a channel's name, a zero and an offset.
constexpr std::size_t key_bytes_max = 300;
// Beyond these a folder is not worth the search for what is between them.
constexpr std::size_t ranges_max = 10'000;

struct tolerance {
    WALRecoveryMode log;
    bool log_files;  // whether files of the log may be missing
    bool files;  // whether files of rows may be damaged or missing; RocksDB then overlooks damage of the log
};

rocksdb::Status open(const std::string& folder, const tolerance& t, std::unique_ptr<rocksdb::DB>& into) {
    rocksdb::Options o = shell::rocksdb_options(t.log);
    o.create_if_missing = false;
    o.track_and_verify_wals_in_manifest = !t.log_files;
    o.paranoid_checks = !t.files;
    o.skip_checking_sst_file_sizes_on_db_open = t.files;
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status s = rocksdb::DB::OpenForReadOnly(o, folder, &opened);
    into.reset(opened);
    return s;
}

// --- keys as numbers: key_bytes_max digits of a byte each, in the order of the keys ---

std::string as_number(std::string_view key) {
    std::string number(key.substr(0, key_bytes_max));
    number.resize(key_bytes_max, '\0');
    return number;
}

// number + 2^bit; nothing when it has no room.
std::optional<std::string> plus_power(std::string number, std::size_t bit) {
    unsigned carry = 1u << bit % 8;
    for (std::size_t i = key_bytes_max - bit / 8; i-- > 0 && carry != 0;) {
        const unsigned sum = static_cast<unsigned char>(number[i]) + carry;
        number[i] = static_cast<char>(sum & 0xff);
        carry = sum >> 8;
    }
    if (carry != 0) return std::nullopt;
    return number;
}

std::string middle_of(std::string_view a, std::string_view b) {
    std::string half(key_bytes_max, '\0');
    std::vector<unsigned> sum(key_bytes_max + 1, 0);
    for (std::size_t i = key_bytes_max; i-- > 0;) {
        const unsigned both =
            static_cast<unsigned char>(a[i]) + static_cast<unsigned char>(b[i]) + sum[i + 1];
        sum[i + 1] = both & 0xff;
        sum[i] = both >> 8;
    }
    unsigned rest = sum[0];
    for (std::size_t i = 0; i < key_bytes_max; ++i) {
        const unsigned here = rest << 8 | sum[i + 1];
        half[i] = static_cast<char>(here >> 1);
        rest = here & 1;
    }
    return half;
}

// --- reading on after damage ---

using iterator_ptr = std::unique_ptr<rocksdb::Iterator>;

iterator_ptr iterator_of(rocksdb::DB& db) {
    rocksdb::ReadOptions once;
    // The folder may be larger than memory.
    once.fill_cache = false;
    return iterator_ptr(db.NewIterator(once));
}

// At the first row from there on, or beyond the last one; null when that cannot be read. A new one each time,
// because what an iterator says after damage depends on what it has read before.
iterator_ptr read_from(rocksdb::DB& db, const std::string& number) {
    iterator_ptr at = iterator_of(db);
    at->Seek(number);
    return at->status().ok() ? std::move(at) : nullptr;
}

// At the first row after `last` that can be read, or beyond all; null: nothing can. Blocks of rows are
// damaged as a whole and nobody knows what keys they had, so places at ever greater distance are tried until
// one can be read, and then those before it.
iterator_ptr pass_damage(rocksdb::DB& db, const std::string& last) {
    const std::string from = as_number(last);
    std::string damaged = from, whole;
    iterator_ptr found;
    for (std::size_t bit = 0; bit < key_bytes_max * 8 && !found; ++bit) {
        const auto next = plus_power(from, bit);
        if (!next) return nullptr;
        found = read_from(db, *next);
        (found ? whole : damaged) = *next;
    }
    while (found) {
        const std::string between = middle_of(damaged, whole);
        if (between == damaged) break;
        if (iterator_ptr nearer = read_from(db, between)) {
            found = std::move(nearer);
            whole = between;
        } else {
            damaged = between;
        }
    }
    return found;
}

}  // namespace

// Each attempt tolerates more, so that the first one that succeeds says what is damaged.
folder_reader::folder_reader(const std::string& folder) : folder_(folder) {
    constexpr auto as_the_server = WALRecoveryMode::kTolerateCorruptedTailRecords;
    constexpr auto whole_records = WALRecoveryMode::kSkipAnyCorruptedRecords;
    const std::pair<tolerance, access> attempts[] = {
        {{as_the_server, false, false}, access::rows},
        {{whole_records, true, false}, access::no_end},
        {{whole_records, true, true}, access::unknown_end}};
    for (const auto& [tolerated, then] : attempts) {
        const rocksdb::Status s = open(folder, tolerated, db_);
        if (s.ok()) {
            access_ = then;
            return;
        }
        if (fault_.empty()) fault_ = s.ToString();
    }
    access_ = access::some_files;
}

folder_reader::~folder_reader() {
    if (db_) db_->Close().PermitUncheckedError();
}

std::optional<std::string> folder_reader::file_lost_by_list() const {
    return shell::file_lost_by_list(*db_, folder_);
}

std::uint64_t folder_reader::bytes() const {
    std::vector<rocksdb::LiveFileMetaData> files;
    if (db_) db_->GetLiveFilesMetaData(&files);
    std::uint64_t sum = 0;
    for (const auto& f : files) sum += f.size;
    return sum;
}

std::vector<file_fault> folder_reader::check_files(progress& on) const {
    std::vector<rocksdb::LiveFileMetaData> files;
    db_->GetLiveFilesMetaData(&files);
    std::vector<file_fault> faults;
    on.begin("checked", bytes());
    for (const rocksdb::LiveFileMetaData& f : files) {
        const std::string name = std::filesystem::path(f.name).filename().string();
        const std::string path = folder_ + "/" + name;
        lost_range all{f.smallestkey, f.largestkey + '\0'};
        // What is lost includes the first row.
        if (!all.after.empty()) all.after.pop_back();
        std::error_code error;
        const std::uint64_t size = std::filesystem::file_size(path, error);
        std::string what;
        if (error) {
            what = "the file " + name + " is missing";
        } else if (size != f.size) {
            what =
                "the file " + name + " has " + std::to_string(size) + " bytes of " + std::to_string(f.size);
        } else {
            rocksdb::SstFileReader file(shell::rocksdb_options(WALRecoveryMode::kPointInTimeRecovery));
            rocksdb::Status s = file.Open(path);
            if (s.ok()) s = file.VerifyChecksum(rocksdb::ReadOptions());
            if (!s.ok()) what = "the file " + name + " is damaged (" + s.ToString() + ")";
        }
        on.add(f.size);
        if (!what.empty()) faults.push_back({std::move(what), std::move(all)});
    }
    return faults;
}

bool folder_reader::each_row(
    progress& on, const std::function<void(std::string_view key, std::string_view value)>& row,
    const std::function<void(lost_range)>& lost
) const {
    iterator_ptr at = iterator_of(*db_);
    std::string last;
    std::size_t ranges = 0;
    for (at->SeekToFirst();; at->Next()) {
        if (!at->status().ok()) {
            at = ++ranges > ranges_max ? nullptr : pass_damage(*db_, last);
            if (!at) return false;
            lost({last, at->Valid() ? at->key().ToString() : std::string(beyond_all)});
        }
        if (!at->Valid()) return true;
        last = at->key().ToString();
        row(last, at->value().ToStringView());
        on.add(last.size() + at->value().size());
    }
}

}  // namespace pulsewire::care
