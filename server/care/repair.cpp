#include "server/care/repair.hpp"

#include "common/exchange/store.hpp"
#include "server/care/examination.hpp"
#include "server/care/files.hpp"
#include "server/care/new_store.hpp"
#include "server/identity/revocations.hpp"
#include "server/random.hpp"
#include "server/storage/log_store.hpp"
#include "server/storage/rocksdb_options.hpp"
#include "server/storage/row.hpp"
#include "server/text.hpp"

#include <rocksdb/db.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace pulsewire::care {
namespace {

namespace fs = std::filesystem;
namespace row = shell::row;

// Moved last: a folder without it is none that a server would open.
constexpr const char* list_of_files = "CURRENT";

// The places of one repair.
struct places {
    explicit places(const std::string& folder)
        : data(folder),
          part(folder + "/" + shell::log_store::unfinished_repair),
          copy(part + "/copy"),
          fresh(part + "/new"),
          plan(part + "/plan") {}
    std::string data, part, copy, fresh;
    std::string
        plan;  // a file with the name of the folder for the damaged files; there when `fresh` is complete
};

std::string plan_of(const places& at) {
    std::ifstream file(at.plan);
    std::string name;
    std::getline(file, name);
    return name;
}

void write_plan(const places& at, const std::string& name) {
    {
        std::ofstream file(at.plan + ".new");
        file << name << '\n';
        if (!file.flush()) throw std::runtime_error("cannot write " + at.plan);
    }
    sync_folder(at.fresh);
    move(at.plan + ".new", at.plan);
    sync_folder(at.part);
    sync_folder(at.data);
}

// Can be done again from wherever it was interrupted: files of the damaged folder leave first, and the new
// ones come when none of those is left.
void exchange(const places& at) {
    const std::string name = plan_of(at);
    if (name.empty()) throw std::runtime_error(at.plan + " is damaged: remove the folder " + at.part);
    const std::string damaged = at.data + "/" + name;
    const std::string left = at.part + "/left";
    if (!fs::exists(left)) {
        fs::create_directory(damaged);
        fs::permissions(damaged, fs::perms::owner_all);
        for (const std::string& one : data_files(at.data)) move(at.data + "/" + one, damaged + "/" + one);
        sync_folder(damaged);
        sync_folder(at.data);
        fs::create_directory(left);
        sync_folder(at.part);
    }
    for (const std::string& one : data_files(at.fresh))
        if (one != list_of_files) move(at.fresh + "/" + one, at.data + "/" + one);
    sync_folder(at.data);
    if (fs::exists(at.fresh + "/" + list_of_files))
        move(at.fresh + "/" + list_of_files, at.data + "/" + list_of_files);
    sync_folder(at.data);
    give_to_owner_of(at.data, damaged);
    for (const std::string& one : data_files(at.data)) give_to_owner_of(at.data, at.data + "/" + one);
    fs::remove_all(at.part);
    sync_folder(at.data);
}

// RocksDB makes a new list of the files that it can read, of a copy: it moves files, and a second attempt
// must find what the first one found.
examination examine_rebuilt(const places& at, const examination& before, progress& on) {
    fs::create_directory(at.copy);
    copy_files(at.data, data_files(at.data), at.copy, on);
    const rocksdb::Status s = rocksdb::RepairDB(
        at.copy, shell::rocksdb_options(rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords)
    );
    if (!s.ok()) throw std::runtime_error("no file of the folder can be read: " + s.ToString());
    examination after = examine(at.copy, on);
    if (!after.readable)
        throw std::runtime_error("so much of the folder is damaged that nothing can be kept");
    after.any_channel = true;
    // Where the list could be read, it says which rows the damaged files had.
    for (auto& [name, c] : after.channels) {
        const std::string first = row::publication_key(name, 0),
                          last = row::publication_key(name, UINT64_MAX);
        const std::string own = row::channel_key(name);
        c.damaged = c.damaged || before.lost.empty() ||
                    std::any_of(before.lost.begin(), before.lost.end(), [&](const lost_range& range) {
                        return range.has_part_of(first, last) || range.has_part_of(own, own);
                    });
    }
    return after;
}

bool is_kept(const channel_facts& c) {
    return !c.epoch.empty() && (c.has_row || c.damaged);
}

// Copies the rows that are whole.
class row_copy {
public:
    row_copy(const examination& from, const std::string& epoch, new_store& into, repaired& report)
        : from_(from), epoch_(epoch), into_(into), report_(report) {}

    void put_channels() {
        for (const auto& [name, c] : from_.channels) {
            if (!is_kept(c)) continue;
            const std::string key = row::channel_key(name);
            into_.put(key, row::value(key, hub::keep_channel{name, c.damaged ? epoch_ : c.epoch, c.head}));
            ++report_.channels;
            report_.renewed_channels += c.damaged;
        }
    }

    void put(std::string_view key, std::string_view value) {
        if (key[0] == row::publications) put_publication(key, value);
        if (key[0] == row::keys) put_key(key, value);
    }

private:
    const channel_facts* kept(std::string_view channel) const {
        const auto found = from_.channels.find(channel);
        return found == from_.channels.end() || !is_kept(found->second) ? nullptr : &found->second;
    }

    void put_publication(std::string_view key, std::string_view value) {
        const auto where = row::place_of(key);
        const channel_facts* const c = where ? kept(where->channel) : nullptr;
        const auto p = c != nullptr ? row::read_publication(key, value) : std::nullopt;
        if (!p || p->epoch != c->epoch) return;
        if (where->channel != channel_) {
            channel_ = where->channel;
            done_ = 0;
        }
        if (done_ == c->publications) return;
        ++report_.publications;
        if (!c->damaged) return into_.put(key, value);
        // A history has no holes. Under the new epoch every publication has a new place anyway, so those
        // before a loss follow on those after it.
        const std::uint64_t offset = c->head - c->publications + ++done_;
        const std::string to = row::publication_key(where->channel, offset);
        into_.put(to, row::moved_publication(key, value, to, offset, epoch_));
        ++report_.renewed_publications;
    }

    // A key leads to a position, which the channel may not have any more.
    void put_key(std::string_view key, std::string_view value) {
        const auto k = row::read_key(key, value);
        const channel_facts* const c = k ? kept(k->channel) : nullptr;
        if (c != nullptr && !c->damaged && c->epoch == k->epoch)
            into_.put(key, value);
        else
            ++report_.forgotten_keys;
    }

    const examination& from_;
    const std::string& epoch_;
    new_store& into_;
    repaired& report_;
    std::string channel_;     // of the last publication
    std::uint64_t done_ = 0;  // publications of this channel
};

void write_fresh(
    const places& at, const std::string& from, examination& found, repaired& report, progress& on
) {
    header_facts header = found.header;
    if (!header.store_id) header.store_id = shell::random_bits();
    // No channel gets a position again that a lost one may have had.
    header.generation = header.generation.value_or(0) + 1;
    const std::string epoch = hub::durable_epoch(*header.store_id, *header.generation);
    new_store fresh(at.fresh);
    fresh.put_header(header);
    row_copy rows(found, epoch, fresh, report);
    rows.put_channels();
    const folder_reader reader(from);
    on.begin("kept", reader.bytes());
    (void)reader.each_row(
        on, [&rows](std::string_view key, std::string_view value) { rows.put(key, value); }, [](lost_range) {}
    );
    fresh.finish();
}

}  // namespace

repaired repair(const std::string& folder, new_epochs which, std::int64_t wall_ms, progress& on) {
    const places at(folder);
    repaired report;
    if (fs::exists(at.plan)) {
        report.was_changed = report.was_finished = true;
        report.damaged_files = folder + "/" + plan_of(at);
        exchange(at);
        return report;
    }
    fs::remove_all(at.part);
    examination found = examine(folder, on);
    report.revocations_fault = found.revocations_fault;
    if (found.faults.empty() && which == new_epochs::only_damaged) return report;
    report.was_changed = true;
    report.faults = found.faults;
    report.faults_left_out = found.faults_left_out;
    try {
        make_empty_folder(at.part);
        std::string from = folder;
        if (!found.readable) {
            found = examine_rebuilt(at, found, on);
            from = at.copy;
        }
        if (which == new_epochs::all)
            for (auto& [name, c] : found.channels) c.damaged = c.damaged || c.has_row;
        write_fresh(at, from, found, report, on);
        if (const examination now = examine(at.fresh, on); !now.is_whole())
            throw std::runtime_error("what was written cannot be read: " + now.faults.front());
        if (fs::exists(folder + "/" + identity::revocations::file_name))
            copy_files(folder, {identity::revocations::file_name}, at.fresh, on);
    } catch (const std::exception&) {
        std::error_code ignored;
        fs::remove_all(at.part, ignored);
        throw;
    }
    std::string name = "damaged-" + shell::utc_time(wall_ms);
    std::replace(name.begin(), name.end(), ':', '-');
    write_plan(at, name);
    report.damaged_files = folder + "/" + name;
    exchange(at);
    return report;
}

}  // namespace pulsewire::care
