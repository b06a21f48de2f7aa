#include "server/care/json_lines.hpp"

#include "common/base/base64.hpp"
#include "common/exchange/message_text.hpp"
#include "common/exchange/store.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/limits.hpp"
#include "common/protocol/line_writer.hpp"
#include "common/protocol/names.hpp"
#include "server/care/examination.hpp"
#include "server/care/files.hpp"
#include "server/care/new_store.hpp"
#include "server/care/source.hpp"
#include "server/log.hpp"
#include "server/storage/row.hpp"
#include "server/text.hpp"

#include <algorithm>
#include <filesystem>
#include <istream>
#include <map>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace pulsewire::care {
namespace {

namespace row = shell::row;

constexpr std::uint64_t format_version = 1;
// A message with all that stands beside it; beyond: the line is faulty.
constexpr std::size_t line_bytes_max = 64 << 20;
// As deep as a payload may be, in the object of the line.
constexpr int depth_max = json_depth_max + 1;

// --- out ---

// As the server would serve it after a start.
bool is_served(const channel_facts& c) {
    return c.has_row && c.newest == c.head;
}

std::string line_of(std::string_view name, const channel_facts& c) {
    std::string line;
    line_writer(line).name("channel", name).name("epoch", c.epoch).number("head", c.head);
    return line += "}\n";
}

std::string line_of(const hub::keep_publication& p) {
    const hub::message& m = *p.what;
    std::string line;
    line_writer w(line);
    w.name("channel", m.channel()).name("epoch", p.epoch).number("offset", m.offset).name("type", m.type());
    w.number("time", static_cast<std::uint64_t>(m.time_ms));
    const std::pair<std::string_view, std::string_view> others[] = {
        {"key", p.key}, {"except", m.except()}, {"conflate", m.conflate()}, {"user", m.user()}};
    for (const auto& [member, value] : others)
        if (!value.empty()) w.name(member, value);
    if (m.is_snapshot) {
        const snapshot_view s = hub::snapshot_of(m);
        w.number("covers", s.covers);
        if (s.parts > 1) w.number("part", s.part).number("parts", s.parts).name("snapshot", s.id);
    }
    if (m.binary) {
        w.flag("binary", true).name("payload", to_base64(m.payload())).end();
    } else {
        w.payload_key();
        line.append(m.payload()).append("}");
    }
    return line.append("\n");
}

void check(const std::ostream& out) {
    if (!out) throw std::runtime_error("the export cannot be written: is the disk full?");
}

// --- in ---

struct channel_lines {
    std::string epoch;
    std::uint64_t head = 0;
    std::uint64_t newest = 0;  // 0: none yet
};

// The members of one line, as they stand there.
class members {
public:
    // Throws a sentence about the line.
    explicit members(std::string_view line) {
        json_scan scan(line);
        bool twice = false;
        const bool read = for_each_member(scan, depth_max, [&](std::string_view key, std::string_view value) {
            twice = twice || !all_.emplace(key, value).second;
            return !twice;
        });
        if (twice) throw std::runtime_error("has a member twice");
        if (!read || !scan.skip_space() || !scan.at_end())
            throw std::runtime_error("is no JSON object (byte " + std::to_string(scan.at() + 1) + ")");
        if (scan.has_line_ends() || scan.has_unreadable())
            throw std::runtime_error("has a value that no message may have");
    }

    bool has(std::string_view name) const { return all_.contains(name); }
    // Each takes the member out. Empty where there is none and none has to be.
    std::string_view value(std::string_view name) {
        const auto found = all_.find(name);
        if (found == all_.end()) throw std::runtime_error("has no \"" + std::string(name) + "\"");
        const std::string_view taken = found->second;
        all_.erase(found);
        return taken;
    }
    std::uint64_t number(std::string_view name) {
        const auto read = shell::parse_number(value(name));
        if (!read) throw std::runtime_error("has a \"" + std::string(name) + "\" that is no whole number");
        return *read;
    }
    // A name without escapes.
    std::string name(std::string_view member, bool (*is_right)(std::string_view)) {
        const std::string_view quoted = value(member);
        const bool text = quoted.size() >= 2 && quoted.front() == '"';
        const std::string_view inner = text ? quoted.substr(1, quoted.size() - 2) : std::string_view();
        if (!text || !is_right(inner))
            throw std::runtime_error(
                "has a wrong \"" + std::string(member) + "\": " + log::printable(quoted)
            );
        return std::string(inner);
    }
    std::string name_if_any(std::string_view member, bool (*is_right)(std::string_view)) {
        return has(member) ? name(member, is_right) : std::string();
    }
    void end() const {
        if (!all_.empty())
            throw std::runtime_error(
                "has a member that this version does not know: \"" + log::printable(all_.begin()->first) +
                "\""
            );
    }

private:
    std::map<std::string_view, std::string_view> all_;
};

// A payload of bytes (docs/protocol.md 2.5).
std::string bytes_of(std::string_view binary, std::string_view payload) {
    std::string bytes;
    const bool is_text = payload.size() >= 2 && payload.front() == '"';
    if (binary != "true" || !is_text || !append_from_base64(bytes, payload.substr(1, payload.size() - 2)))
        throw std::runtime_error("has a \"payload\" that is \"binary\" and no base64");
    return bytes;
}

bool is_type_name(std::string_view t) {
    return is_type(t);
}

class importer {
public:
    explicit importer(new_store& into) : into_(into) {}

    // Throws a sentence about the line, beginning with its verb.
    void take(std::string_view line) {
        members m(line);
        if (!begun_) return begin(m);
        if (m.has("offset")) return take_publication(m);
        take_channel(m);
    }

    // Throws a whole sentence.
    line_counts end() const {
        if (!begun_) throw std::runtime_error("the file is empty");
        for (const auto& [name, c] : channels_)
            if (c.newest != 0 && c.newest != c.head)
                throw std::runtime_error(
                    "the file ends too early: channel " + name + " has publications up to offset " +
                    std::to_string(c.newest) + " and its head is " + std::to_string(c.head)
                );
        return counts_;
    }

private:
    void begin(members& m) {
        if (!m.has("pulsewire_export"))
            throw std::runtime_error("does not begin an export: {\"pulsewire_export\":1}");
        if (m.number("pulsewire_export") != format_version)
            throw std::runtime_error("begins an export of another version");
        m.end();
        begun_ = true;
    }

    void take_channel(members& m) {
        const std::string name = m.name("channel", is_channel);
        channel_lines c{m.name("epoch", is_epoch), m.number("head")};
        m.end();
        const std::string key = row::channel_key(name);
        into_.put(key, row::value(key, hub::keep_channel{name, c.epoch, c.head}));
        if (!channels_.emplace(name, std::move(c)).second)
            throw std::runtime_error("names the channel a second time");
        ++counts_.channels;
    }

    void take_publication(members& m) {
        hub::publish p;
        p.channel = m.name("channel", is_channel);
        hub::keep_publication kept;
        kept.epoch = m.name("epoch", is_epoch);
        const std::uint64_t offset = m.number("offset");
        check_place(p.channel, kept.epoch, offset);
        p.type = m.name("type", is_type_name);
        const std::uint64_t time_ms = m.number("time");
        kept.key = m.name_if_any("key", is_key);
        p.except = m.name_if_any("except", is_session);
        p.conflate = m.name_if_any("conflate", is_key);
        p.user = m.name_if_any("user", is_user);
        if (m.has("covers")) {
            p.snapshot.covers = m.number("covers");
            if (m.has("parts")) {
                const std::uint64_t part = m.number("part"), parts = m.number("parts");
                if (part < 1 || part > parts || parts < 2 || parts > snapshot_parts_max)
                    throw std::runtime_error("has a \"part\" that is none of its \"parts\"");
                p.snapshot.part = static_cast<std::uint16_t>(part);
                p.snapshot.parts = static_cast<std::uint16_t>(parts);
                p.snapshot.id = m.name("snapshot", is_key);
            }
            if (p.snapshot.covers == 0 || p.snapshot.covers >= offset)
                throw std::runtime_error("has a \"covers\" that is no offset before its own");
        }
        p.payload = m.value("payload");
        p.binary = m.has("binary");
        if (p.binary) p.payload = bytes_of(m.value("binary"), p.payload);
        m.end();
        kept.what = hub::make_message(p, offset, static_cast<std::int64_t>(time_ms));
        const std::string key = row::publication_key(p.channel, offset);
        into_.put(key, row::value(key, kept));
        if (!kept.key.empty()) {
            const std::string remembered = row::key_key(kept.what->time_ms, p.channel, offset);
            into_.put(remembered, row::key_value(remembered, kept));
        }
        ++counts_.publications;
    }

    void check_place(std::string_view channel, std::string_view epoch, std::uint64_t offset) {
        const auto found = channels_.find(channel);
        if (found == channels_.end()) throw std::runtime_error("comes before the line of its channel");
        channel_lines& c = found->second;
        if (c.epoch != epoch) throw std::runtime_error("has another epoch than its channel");
        if (offset == 0 || offset > c.head)
            throw std::runtime_error("has an offset beyond the head of its channel");
        if (c.newest != 0 && offset != c.newest + 1)
            throw std::runtime_error(
                "has the offset " + std::to_string(offset) + " after " + std::to_string(c.newest)
            );
        c.newest = offset;
    }

    new_store& into_;
    bool begun_ = false;
    std::map<std::string, channel_lines, std::less<>> channels_;
    line_counts counts_;
};

// Reads one line of bounded length; false: there is none.
bool read_line(std::istream& in, std::string& line) {
    line.clear();
    for (int c = in.get(); c != std::istream::traits_type::eof(); c = in.get()) {
        if (c == '\n') {
            if (line.ends_with('\r')) line.pop_back();
            return true;
        }
        line.push_back(static_cast<char>(c));
        if (line.size() > line_bytes_max) throw std::runtime_error("is too long");
    }
    return !line.empty();
}

line_counts take_lines(std::istream& in, new_store& into, progress& on) {
    importer lines(into);
    std::string line;
    std::uint64_t number = 1;
    on.begin("read", 0);
    try {
        for (; read_line(in, line); ++number) {
            lines.take(line);
            on.add(line.size() + 1);
        }
        if (in.bad()) throw std::runtime_error("cannot be read");
    } catch (const std::runtime_error& e) {
        throw std::runtime_error("line " + std::to_string(number) + " " + e.what());
    }
    return lines.end();
}

}  // namespace

line_counts export_lines(const std::string& folder, std::ostream& out, progress& on) {
    const examination found = examine(folder, on);
    if (!found.faults.empty())
        throw std::runtime_error(
            "the folder is damaged: " + found.faults.front() +
            ". pulsewired verify says what else is; export it after pulsewired repair"
        );
    line_counts counts;
    out << "{\"pulsewire_export\":" << format_version << "}\n";
    for (const auto& [name, c] : found.channels)
        if (c.has_row) {
            out << line_of(name, c);
            ++counts.channels;
        }
    check(out);
    const folder_reader reader(folder);
    on.begin("exported", reader.bytes());
    (void)reader.each_row(
        on,
        [&](std::string_view key, std::string_view value) {
            const auto where = row::place_of(key);
            const auto c = where ? found.channels.find(where->channel) : found.channels.end();
            if (c == found.channels.end() || !is_served(c->second)) return;
            const auto p = row::read_publication(key, value);
            if (!p || p->epoch != c->second.epoch) return;
            out << line_of(*p);
            check(out);
            ++counts.publications;
        },
        [](lost_range) {}
    );
    out.flush();
    check(out);
    return counts;
}

line_counts import_lines(std::istream& in, const std::string& folder, progress& on) {
    namespace fs = std::filesystem;
    const std::string part = folder + "/import.part";
    std::error_code ignored;
    fs::create_directory(folder, ignored);
    const auto lock = lock_existing(folder);
    if (!lock) throw std::runtime_error("a server uses the folder " + folder);
    if (has_database(folder))
        throw std::runtime_error(
            "there are publications in " + folder + " already: an import needs an empty folder"
        );
    line_counts counts;
    try {
        fs::remove_all(part);
        new_store fresh(part);
        fresh.put_header({});
        counts = take_lines(in, fresh, on);
        fresh.finish();
        // CURRENT leads to the others; without it no server takes the folder for one of its own.
        const std::vector<std::string> names = data_files(part);
        for (const std::string& name : names)
            if (name != "CURRENT") move(part + "/" + name, folder + "/" + name);
        sync_folder(folder);
        move(part + "/CURRENT", folder + "/CURRENT");
        fs::remove_all(part);
        sync_folder(folder);
        for (const std::string& name : data_files(folder)) give_to_owner_of(folder, folder + "/" + name);
    } catch (const std::exception&) {
        fs::remove_all(part, ignored);
        throw;
    }
    return counts;
}

}  // namespace pulsewire::care
