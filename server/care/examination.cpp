#include "server/care/examination.hpp"

#include "server/identity/revocations.hpp"
#include "server/log.hpp"
#include "server/storage/log_store.hpp"
#include "server/storage/row.hpp"
#include "server/text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace pulsewire::care {
namespace {

namespace row = shell::row;

std::string first_row_of(std::string_view channel) {
    return row::publication_key(channel, 0);
}
std::string last_row_of(std::string_view channel) {
    return row::publication_key(channel, std::numeric_limits<std::uint64_t>::max());
}

// The milliseconds in the key of a remembered key.
std::int64_t time_in(std::string_view key) {
    std::uint64_t ms = 0;
    for (std::size_t i = 1; i <= 8 && i < key.size(); ++i) ms = ms << 8 | static_cast<unsigned char>(key[i]);
    return static_cast<std::int64_t>(ms);
}

// Takes the rows one after the other, in the order of their keys: all channels come before all publications.
class taker {
public:
    explicit taker(examination& into) : into_(into) {}

    void take(std::string_view key, std::string_view value) {
        switch (key.empty() ? '\0' : key[0]) {
            case row::channels:
                return take_channel(key, value);
            case row::publications:
                return take_publication(key, value);
            case row::keys:
                if (row::read_key(key, value))
                    ++into_.keys;
                else
                    into_.add_fault("a remembered key of a publish is damaged");
                return;
            default:
                return take_header(key, value);
        }
    }

    void lose(lost_range range) {
        previous_ = nullptr;
        into_.lost.push_back(std::move(range));
    }

private:
    void take_header(std::string_view key, std::string_view value) {
        const std::pair<std::string_view, std::optional<std::uint64_t>*> all[] = {
            {row::format, &into_.header.version},
            {row::store_id, &into_.header.store_id},
            {row::generation, &into_.header.generation},
            {row::secret_first, &into_.header.secret_first},
            {row::secret_second, &into_.header.secret_second}};
        for (const auto& [name, number] : all)
            if (key == name) *number = row::read_number(key, value);
    }

    void take_channel(std::string_view key, std::string_view value) {
        const auto name = row::channel_of(key);
        const auto c = row::read_channel(key, value);
        if (c) {
            channel_facts& facts = into_.channels[c->channel];
            facts.epoch = c->epoch;
            facts.head = c->head;
            facts.has_row = true;
        } else if (name) {
            into_.channels[std::string(*name)].damaged = true;
            into_.add_fault("channel " + log::printable(*name) + ": its own row is damaged");
        }
    }

    void take_publication(std::string_view key, std::string_view value) {
        const auto where = row::place_of(key);
        if (!where) return into_.add_fault("a row of a publication is damaged");
        auto found = into_.channels.find(where->channel);
        if (found == into_.channels.end())
            found = into_.channels.emplace(std::string(where->channel), channel_facts()).first;
        channel_facts& c = found->second;
        const auto p = row::read_publication(key, value);
        const std::string name = log::printable(where->channel);
        if (!p) {
            lose_in(
                c, "channel " + name + ": the publication at offset " + std::to_string(where->offset) +
                       " is damaged"
            );
            previous_ = &c;
            previous_offset_ = where->offset;
            return;
        }
        // A remainder of an epoch that is over, which counts for nothing. A channel without a row of its own
        // has the epoch of what was published last.
        if (p->epoch != c.epoch) {
            if (c.has_row) return;
            c.epoch = p->epoch;
            c.publications = 0;
        } else if (previous_ == &c && previous_offset_ + 1 != where->offset) {
            lose_in(
                c, "channel " + name + ": the publications from offset " +
                       std::to_string(previous_offset_ + 1) + " to " + std::to_string(where->offset - 1) +
                       " are missing"
            );
        }
        c.newest = where->offset;
        c.head = std::max(c.head, c.newest);
        ++c.publications;
        previous_ = &c;
        previous_offset_ = where->offset;
    }

    void lose_in(channel_facts& c, std::string sentence) {
        c.damaged = true;
        into_.add_fault(std::move(sentence));
    }

    examination& into_;
    channel_facts* previous_ = nullptr;  // of the row before, if it was a publication
    std::uint64_t previous_offset_ = 0;
};

// The publications of a channel that may be in the range: "from offset 18 to 42".
std::string lost_part(const lost_range& range, std::string_view channel) {
    const auto after = row::place_of(range.after), before = row::place_of(range.before);
    const bool has_first = after && after->channel == channel;
    const bool has_last = before && before->channel == channel;
    if (has_first && has_last)
        return "from offset " + std::to_string(after->offset + 1) + " to " +
               std::to_string(before->offset - 1);
    if (has_first) return "from offset " + std::to_string(after->offset + 1) + " on";
    if (has_last) return "up to offset " + std::to_string(before->offset - 1);
    return "all";
}

bool loses_keys(const lost_range& range) {
    return range.has_part_of(std::string(1, row::keys), row::key_key(INT64_MAX, {}, 0));
}

// What each range that cannot be read means for the channels.
void describe_lost(examination& e) {
    for (const lost_range& range : e.lost) {
        for (auto& [name, c] : e.channels) {
            const std::string own = row::channel_key(name);
            const bool publications = range.has_part_of(first_row_of(name), last_row_of(name));
            if (!publications && !range.has_part_of(own, own)) continue;
            c.damaged = true;
            if (publications)
                e.add_fault(
                    "channel " + log::printable(name) +
                    ": publications may be lost: " + lost_part(range, name)
                );
            else
                e.add_fault("channel " + log::printable(name) + ": its own row is lost");
        }
        const std::string first_channel(1, row::channels), last_channel(1, row::channels + 1);
        if (range.has_part_of(first_channel, last_channel)) {
            // Nobody knows the names of those of which nothing is left.
            e.any_channel = true;
            e.add_fault(
                "rows of channels cannot be read: channels without publications may be lost as a whole"
            );
        }
        if (!loses_keys(range)) continue;
        const bool begins = range.after.starts_with(row::keys), ends = range.before.starts_with(row::keys);
        e.add_fault(
            "remembered keys of publishes cannot be read: those " +
            (begins ? "from " + shell::utc_time(time_in(range.after)) : std::string("from the first")) +
            (ends ? " to " + shell::utc_time(time_in(range.before)) : std::string(" on"))
        );
    }
}

void check_header(examination& e) {
    const header_facts& h = e.header;
    if (h.version && *h.version != row::format_version)
        throw std::runtime_error(
            "the folder has format " + std::to_string(*h.version) +
            ", which this version does not know: use the version that wrote it"
        );
    if (!h.version || !h.store_id || !h.generation)
        e.add_fault("the rows that name the folder are lost or damaged");
    if (h.secret_first.has_value() != h.secret_second.has_value())
        e.add_fault("the secret behind cookies of sessions is lost");
}

void check_channels(examination& e) {
    for (auto& [name, c] : e.channels) {
        // Publications without a row of their channel are remainders, unless that row is what was lost.
        if (c.has_row || c.damaged) e.publications += c.publications;
    }
}

// A list that cannot be read would keep the server from starting.
void check_revocations(const std::string& folder, examination& e) {
    try {
        const identity::revocations read(folder, std::numeric_limits<std::int32_t>::max(), 0);
    } catch (const std::runtime_error& fault) {
        e.revocations_fault = fault.what();
    }
}

}  // namespace

std::uint64_t examination::damaged_channels() const {
    return static_cast<std::uint64_t>(std::count_if(channels.begin(), channels.end(), [](const auto& one) {
        return one.second.damaged;
    }));
}

void examination::add_fault(std::string sentence) {
    if (faults.size() < faults_max)
        faults.push_back(std::move(sentence));
    else
        ++faults_left_out;
}

bool has_database(const std::string& folder) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename().string();
        const bool leads_to_others = name == "CURRENT" || name == shell::log_store::unfinished_repair;
        if (leads_to_others || name.ends_with(".sst") || name.ends_with(".log")) return true;
    }
    return false;
}

examination examine(const std::string& folder, progress& on) {
    examination e;
    const folder_reader reader(folder);
    check_revocations(folder, e);
    if (!reader.knows_files()) {
        e.readable = false;
        e.any_channel = true;
        e.add_fault("the list of the files is damaged or missing (" + reader.fault() + ")");
        return e;
    }
    if (const auto lost = reader.file_lost_by_list()) {
        e.readable = false;
        e.any_channel = true;
        e.add_fault("the list of the files is cut: it has lost " + *lost);
        return e;
    }
    const bool end_is_whole = reader.can_read() == folder_reader::access::rows;
    if (reader.can_read() == folder_reader::access::unknown_end)
        e.add_fault(
            "nobody can say whether the write-ahead log, which has what was published last, is whole (" +
            reader.fault() + "); any channel may have lost publications"
        );
    if (!end_is_whole) e.any_channel = true;
    if (reader.can_read() == folder_reader::access::no_end) {
        e.add_fault(
            "the write-ahead log, which has what was published last, is damaged or a part of it is missing "
            "(" +
            reader.fault() + "); any channel may have lost publications"
        );
    }
    for (file_fault& f : reader.check_files(on)) {
        e.add_fault(std::move(f.sentence));
        e.lost.push_back(std::move(f.rows));
    }
    // Where the rows can be read in spite of that, they say more precisely what is lost.
    // A file that does not even open may hide all others.
    const std::vector<lost_range> of_files = std::exchange(e.lost, {});
    on.begin("read", reader.bytes());
    taker rows(e);
    const bool read = reader.each_row(
        on, [&rows](std::string_view key, std::string_view value) { rows.take(key, value); },
        [&rows](lost_range range) { rows.lose(std::move(range)); }
    );
    if (!read) e.readable = false;
    // Damage that no row shows is in what a file says about others, and rows that it removed may have come
    // back.
    const std::size_t of_rows = read ? e.lost.size() : 0;
    for (const lost_range& file : of_files) {
        const auto end = e.lost.begin() + static_cast<std::ptrdiff_t>(of_rows);
        const bool shown = std::any_of(e.lost.begin(), end, [&file](const lost_range& one) {
            return one.has_part_of(file.after, file.before);
        });
        if (!shown) e.lost.push_back(file);
    }
    if (read) check_header(e);
    describe_lost(e);
    if (!end_is_whole)
        for (auto& [name, c] : e.channels) c.damaged = true;
    check_channels(e);
    return e;
}

}  // namespace pulsewire::care
