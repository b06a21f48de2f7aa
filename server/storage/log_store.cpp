#include "server/storage/log_store.hpp"

#include "server/log.hpp"
#include "server/random.hpp"
#include "server/storage/rocksdb_options.hpp"
#include "server/storage/row.hpp"
#include "server/storage/unlisted_files.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>

namespace pulsewire::shell {
namespace {

// RocksDB 9 loses the subcode of errors about its options file, so the text is searched as well.
bool is_no_space(const rocksdb::Status& s) {
    return s.IsNoSpace() || s.ToString().find("No space left on device") != std::string::npos;
}

std::string advice(const rocksdb::Status& s) {
    if (s.IsCorruption())
        return "The files are damaged. Restore the folder from a backup, or let pulsewired repair keep what "
               "is "
               "whole: clients are told that what they missed is lost. pulsewired verify says what is "
               "damaged.";
    if (s.ToString().find("LOCK") != std::string::npos || s.ToString().find("lock") != std::string::npos)
        return "Another server uses this folder, or it may not be written: each server needs a data folder "
               "of its own, which its user owns.";
    if (is_no_space(s)) return "The disk is full: make room and start again.";
    return "Check that the folder exists or can be made, that the server's user may write there, and that "
           "the disk works.";
}

[[noreturn]] void refuse(const std::string& folder, const rocksdb::Status& s) {
    throw std::runtime_error(
        "the data folder " + folder + " cannot be used: " + s.ToString() + ". " + advice(s)
    );
}

// RocksDB would take such a folder for a new one, and remove what it finds there.
void refuse_without_list(const std::string& folder) {
    std::error_code none;
    if (std::filesystem::exists(folder + "/" + log_store::unfinished_repair + "/plan", none))
        throw std::runtime_error(
            "the data folder " + folder +
            " cannot be used: its repair was interrupted. Let pulsewired repair finish it."
        );
    if (std::filesystem::exists(folder + "/CURRENT", none)) return;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
        const std::string name = entry.path().filename().string();
        // A new folder has neither before it has that file.
        if (name.ends_with(".sst") || name.ends_with(".log"))
            refuse(folder, rocksdb::Status::Corruption("the file CURRENT is missing"));
    }
}

// RocksDB removes what its list of the files has lost.
void refuse_cut_list(const std::string& folder) {
    std::error_code none;
    bool any = false;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none))
        any = any || entry.path().extension() == ".sst";
    if (!any) return;
    rocksdb::Options o = rocksdb_options(rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords);
    o.create_if_missing = false;
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status s = rocksdb::DB::OpenForReadOnly(o, folder, &opened);
    const std::unique_ptr<rocksdb::DB> db(opened);
    // Whoever opens it in earnest says what is damaged.
    if (!s.ok()) return;
    if (const auto lost = file_lost_by_list(*db, folder))
        refuse(folder, rocksdb::Status::Corruption("the list of the files is cut, it has lost " + *lost));
}

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

struct log_store::parts {
    std::string folder;
    rocksdb::Env* env = nullptr;
    std::unique_ptr<rocksdb::DB> db;
    std::uint64_t id = 0;
    std::uint64_t generation = 0;
    hash_key secret;
    bool to_reopen = false;  // the last write failed; opening again may find room
    std::optional<failure> final;
    // By channel: rows of publish keys that a failed write may have left on the disk. The channel's next
    // publication makes them void.
    std::map<std::string, std::vector<std::string>> doubtful;

    void close() {
        if (db) db->Close().PermitUncheckedError();
        db.reset();
    }

    rocksdb::Status open(rocksdb::WALRecoveryMode recovery) {
        // The old database is closed first, because its lock would refuse the new one.
        close();
        rocksdb::DB* opened = nullptr;
        const rocksdb::Status s = rocksdb::DB::Open(rocksdb_options(recovery, env), folder, &opened);
        db.reset(opened);
        return s;
    }

    void put(rocksdb::WriteBatch& batch, std::string_view key, std::uint64_t number) {
        batch.Put(slice(key), row::value(key, number));
    }

    // The number that is the whole value of a row; nothing when there is no such row.
    std::optional<std::uint64_t> number(std::string_view key) {
        std::string value;
        const rocksdb::Status s = db->Get({}, slice(key), &value);
        if (s.IsNotFound()) return std::nullopt;
        if (!s.ok()) refuse(folder, s);
        const auto read = row::read_number(key, value);
        // A damaged row of the header leaves no safe way to go on.
        if (!read) refuse(folder, rocksdb::Status::Corruption("row " + std::string(key)));
        return read;
    }

    rocksdb::Status write_synced(rocksdb::WriteBatch& batch) {
        rocksdb::WriteOptions synced;
        // Only after an fsync may a publication be acknowledged (promise P3).
        synced.sync = true;
        return db->Write(synced, &batch);
    }

    void commit(rocksdb::WriteBatch& batch) {
        if (const rocksdb::Status s = write_synced(batch); !s.ok()) refuse(folder, s);
    }

    void read_header() {
        const auto version = number(row::format);
        if (!version) {
            // The header is one batch: a power cut leaves a new folder either empty or complete.
            rocksdb::WriteBatch first;
            put(first, row::format, row::format_version);
            put(first, row::store_id, id = random_bits());
            put(first, row::generation, 0);
            draw_secret(first);
            return commit(first);
        }
        if (*version != row::format_version)
            throw std::runtime_error(
                "the data folder " + folder + " has format " + std::to_string(*version) +
                ", which this version of the server does not know: use the version that wrote it"
            );
        id = number(row::store_id).value_or(0);
        generation = number(row::generation).value_or(0);
        const auto half = number(row::secret_first), other = number(row::secret_second);
        if (half && other) {
            secret = {*half, *other};
        } else {
            // An earlier version wrote no secret.
            rocksdb::WriteBatch drawn;
            draw_secret(drawn);
            commit(drawn);
        }
    }

    void draw_secret(rocksdb::WriteBatch& batch) {
        secret = {random_bits(), random_bits()};
        put(batch, row::secret_first, secret.first);
        put(batch, row::secret_second, secret.second);
    }

    // Acknowledged publications may be missing, so no client may recover as if nothing had happened:
    // every channel gets a new epoch.
    void renew_epochs() {
        rocksdb::WriteBatch batch;
        put(batch, row::store_id, id = random_bits());
        const std::string epoch = hub::durable_epoch(id, generation);
        const std::unique_ptr<rocksdb::Iterator> at(db->NewIterator({}));
        for (at->SeekToFirst(); at->Valid(); at->Next()) {
            const std::string_view key = at->key().ToStringView();
            if (auto c = row::read_channel(key, at->value().ToStringView()); row::channel_of(key) && c) {
                c->epoch = epoch;
                batch.Put(at->key(), row::value(key, *c));
            } else if (auto p = row::read_publication(key, at->value().ToStringView());
                       row::place_of(key) && p) {
                p->epoch = epoch;
                batch.Put(at->key(), row::value(key, *p));
            } else if (key[0] == row::keys) {
                batch.Delete(at->key());
            }
        }
        if (!at->status().ok()) refuse(folder, at->status());
        commit(batch);
    }

    void add(rocksdb::WriteBatch& batch, const hub::keep_channel& c) {
        const std::string key = row::channel_key(c.channel);
        batch.Put(key, row::value(key, c));
    }
    void add(rocksdb::WriteBatch& batch, const hub::keep_publication& p) {
        const std::string key = row::publication_key(p.what->channel(), p.what->offset);
        batch.Put(key, row::value(key, p));
        if (p.key.empty()) return;
        // The key has a row of its own, sorted by time, because it outlives the
        // publication and is forgotten by time.
        const std::string remembered = row::key_key(p.what->time_ms, p.what->channel(), p.what->offset);
        batch.Put(remembered, row::key_value(remembered, p));
    }
    void add(rocksdb::WriteBatch& batch, const hub::trim_channel& t) {
        // A range costs one entry however many publications it removes.
        batch.DeleteRange(row::publication_key(t.channel, 0), row::publication_key(t.channel, t.oldest));
    }
    void add(rocksdb::WriteBatch& batch, const hub::truncate_channel& t) {
        batch.DeleteRange(
            row::publication_key(t.channel, t.head + 1), row::publication_key(t.channel, UINT64_MAX)
        );
        const auto found = doubtful.find(t.channel);
        if (found == doubtful.end()) return;
        for (const std::string& remembered : found->second) batch.Delete(remembered);
    }
    void add(rocksdb::WriteBatch& batch, const hub::drop_channel& d) {
        batch.DeleteRange(row::publication_key(d.channel, 0), row::publication_key(d.channel, UINT64_MAX));
        batch.Delete(row::channel_key(d.channel));
        // Each shard counts generations; the greatest makes the epochs after the next start new for all.
        generation = std::max(generation, d.generation);
        put(batch, row::generation, generation);
    }
    void add(rocksdb::WriteBatch& batch, const hub::forget_keys& f) {
        const std::int64_t before_ms = std::max<std::int64_t>(0, f.before_ms);
        batch.DeleteRange(std::string(1, row::keys), row::key_key(before_ms, {}, 0));
    }

    rocksdb::Status try_to_write(std::span<const hub::store_op> ops) {
        rocksdb::WriteBatch batch;
        for (const hub::store_op& op : ops) std::visit([&](const auto& what) { add(batch, what); }, op.what);
        const rocksdb::Status s = write_synced(batch);
        // A failed write may still have put its rows on the disk.
        if (!s.ok()) {
            note_doubtful(ops);
        } else if (!doubtful.empty()) {
            for (const hub::store_op& op : ops)
                if (const auto* t = std::get_if<hub::truncate_channel>(&op.what)) doubtful.erase(t->channel);
        }
        return s;
    }

    void note_doubtful(std::span<const hub::store_op> ops) {
        for (const hub::store_op& op : ops) {
            const auto* p = std::get_if<hub::keep_publication>(&op.what);
            // Publications need no note: the truncation before the next one removes them by offset.
            if (p == nullptr || p->key.empty()) continue;
            const std::string channel(p->what->channel());
            doubtful[channel].push_back(row::key_key(p->what->time_ms, channel, p->what->offset));
        }
    }
    // After reopening: rows that were not written need not be deleted.
    void forget_unwritten() {
        std::string value;
        for (auto& [channel, rows] : doubtful)
            std::erase_if(rows, [&](const std::string& key) {
                return db->Get({}, key, &value).IsNotFound();
            });
        std::erase_if(doubtful, [](const auto& of_channel) { return of_channel.second.empty(); });
    }
};

log_store::log_store(const std::string& folder, rocksdb::Env* env) : parts_(std::make_unique<parts>()) {
    parts_->folder = folder;
    parts_->env = env;
    std::error_code made;
    if (env == nullptr) std::filesystem::create_directories(folder, made);
    if (env == nullptr) {
        refuse_without_list(folder);
        refuse_cut_list(folder);
    }
    rocksdb::Status s = parts_->open(rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords);
    if (s.IsCorruption()) {
        // A power cut can leave the end of the log written partly and out of order, which looks like damage
        // of safe data. Everything before it is good.
        const std::string what = s.ToString();
        s = parts_->open(rocksdb::WALRecoveryMode::kPointInTimeRecovery);
        if (s.ok()) {
            log::error(
                "the end of the log in ", folder, " is damaged (", what,
                "); what stands before it is kept. "
                "Publications may be missing: all clients are told so (recovered: false, epoch_changed)"
            );
            parts_->read_header();
            parts_->renew_epochs();
        }
    }
    if (!s.ok()) refuse(folder, s);
    parts_->read_header();
}

log_store::~log_store() {
    parts_->close();
}

std::uint64_t log_store::id() const {
    return parts_->id;
}

std::uint64_t log_store::generation() const {
    return parts_->generation;
}

const hash_key& log_store::secret() const {
    return parts_->secret;
}

log_store::contents log_store::load() {
    contents all;
    // A map, because outsiders choose the names and could make a plain hash table slow.
    std::map<std::string, std::size_t> index;  // into all.channels
    std::vector<std::string> of_head;          // the key of each channel's newest publication
    bool channel_damaged = false;

    const std::unique_ptr<rocksdb::Iterator> at(parts_->db->NewIterator({}));
    const auto each = [&](char kind, auto&& call) {
        for (at->Seek(std::string(1, kind)); at->Valid() && at->key()[0] == kind; at->Next())
            call(at->key().ToStringView(), at->value().ToStringView());
        if (!at->status().ok()) refuse(parts_->folder, at->status());
    };

    each(row::channels, [&](std::string_view key, std::string_view value) {
        const auto c = row::read_channel(key, value);
        if (!c) {
            channel_damaged = true;
            all.damaged.push_back(
                "the row of channel " + log::printable(key.substr(1)) + " is damaged: it starts anew"
            );
            return;
        }
        index.emplace(c->channel, all.channels.size());
        all.channels.push_back({c->channel, c->epoch, c->head, {}});
    });

    std::map<std::string, std::string> keys_of;  // by row key: the publish keys of kept publications
    each(row::publications, [&](std::string_view key, std::string_view value) {
        // A publication without its channel's row, or of an earlier epoch, is a remainder and is skipped.
        const auto where = row::place_of(key);
        const auto found = where ? index.find(std::string(where->channel)) : index.end();
        if (found == index.end()) return;
        hub::restored_channel& c = all.channels[found->second];
        auto p = row::read_publication(key, value);
        if (p && p->epoch != c.epoch) return;
        // An offset is never given twice, even if its publication is damaged.
        c.head = std::max(c.head, where->offset);
        const bool follows = c.publications.empty() || c.publications.back()->offset + 1 == where->offset;
        // Offsets of a history have no holes: only the publications after the last hole can be served.
        if (!p || !follows) c.publications.clear();
        if (!p) {
            all.damaged.push_back(
                "the publication at offset " + std::to_string(where->offset) + " of channel " + c.name +
                " is damaged: it and those before it are not served any more"
            );
            return;
        }
        if (!p->key.empty()) keys_of.emplace(std::string(key), std::move(p->key));
        c.publications.push_back(std::move(p->what));
    });
    for (hub::restored_channel& c : all.channels) {
        if (!c.publications.empty() && c.publications.back()->offset != c.head) c.publications.clear();
        all.publications += c.publications.size();
    }

    each(row::keys, [&](std::string_view key, std::string_view value) {
        auto k = row::read_key(key, value);
        if (!k) return all.damaged.push_back("a remembered key of a publish is damaged: it is forgotten");
        const auto channel = index.find(k->channel);
        if (channel == index.end() || all.channels[channel->second].epoch != k->epoch) return;
        const std::string place = row::publication_key(k->channel, k->offset);
        const auto kept = keys_of.find(place);
        // If the publication is still kept, it must be the one that was published with this key.
        if (kept == keys_of.end() || kept->second == k->key) all.keys.push_back(std::move(*k));
    });

    if (channel_damaged) {
        // The channel must not come back under its old epoch, whose offsets would be given again.
        rocksdb::WriteBatch batch;
        parts_->put(batch, row::generation, ++parts_->generation);
        parts_->commit(batch);
    }
    return all;
}

std::optional<log_store::failure> log_store::write(std::span<const hub::store_op> ops) {
    // The same answer for ever: a restart is the only way to learn what the disk holds.
    if (parts_->final) return parts_->final;
    rocksdb::Status s;
    if (parts_->to_reopen) {
        // RocksDB looks for room after a delay of its own; reopening it finds the room at once.
        s = parts_->open(rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords);
        parts_->to_reopen = !s.ok();
        if (s.ok()) parts_->forget_unwritten();
    }
    if (!parts_->to_reopen) {
        s = parts_->try_to_write(ops);
        if (s.ok()) return std::nullopt;
        parts_->to_reopen = true;
    }
    // Only a full disk may pass. After any other failure nobody knows what the disk holds.
    if (is_no_space(s)) return failure{error_code::storage_full, s.ToString()};
    parts_->final = failure{error_code::storage_failed, s.ToString()};
    return parts_->final;
}

std::optional<std::string> log_store::checkpoint(const std::string& folder) {
    if (parts_->final) return parts_->final->text;
    if (parts_->to_reopen) return "the last write to the data folder failed";
    rocksdb::Checkpoint* made = nullptr;
    rocksdb::Status s = rocksdb::Checkpoint::Create(parts_->db.get(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> owned(made);
    if (s.ok()) s = made->CreateCheckpoint(folder);
    if (s.ok()) return std::nullopt;
    return s.ToString();
}

}  // namespace pulsewire::shell
