#pragma once

// For tests and fuzz targets: reads an event stream as WHATWG HTML 9.2.6 says, in the plainest way.
// Independent of the code that writes.

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::event_stream::testing {

struct seen_event {
    std::string type, data, last_id;
    bool operator==(const seen_event&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const seen_event& e) {
    return out << "event '" << e.type << "' id '" << e.last_id << "' data '" << e.data << "'";
}

class event_source {
public:
    // The whole stream at once.
    explicit event_source(std::string_view stream, std::string last_id = {})
        : last_id(last_id), id_buffer_(last_id) {
        if (stream.substr(0, 3) == "\xef\xbb\xbf") stream.remove_prefix(3);
        std::string line;
        for (std::size_t i = 0; i < stream.size(); ++i) {
            if (stream[i] != '\r' && stream[i] != '\n') {
                line += stream[i];
                continue;
            }
            if (stream[i] == '\r' && i + 1 < stream.size() && stream[i + 1] == '\n') ++i;
            read_line(line);
            line.clear();
        }
        // The rest is an unfinished line or event and is dropped.
        unfinished = !line.empty() || has_data_ || !type_.empty();
    }

    std::vector<seen_event> events;
    std::string last_id;  // what a browser sends as Last-Event-ID
    std::optional<std::uint64_t> retry_ms;
    std::vector<std::string> unknown_fields;
    std::vector<std::string> comments;
    bool unfinished = false;

private:
    void read_line(const std::string& line) {
        if (line.empty()) {
            dispatch();
            return;
        }
        if (line[0] == ':') {
            comments.push_back(line.substr(1));
            return;
        }
        const auto colon = line.find(':');
        const std::string field = line.substr(0, colon);
        std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
        if (!value.empty() && value[0] == ' ') value.erase(0, 1);
        if (field == "event") {
            type_ = value;
        } else if (field == "data") {
            data_ += value + "\n";
            has_data_ = true;
        } else if (field == "id") {
            if (value.find('\0') == std::string::npos) id_buffer_ = value;
        } else if (field == "retry") {
            if (!value.empty() && value.size() < 19 &&
                value.find_first_not_of("0123456789") == std::string::npos)
                retry_ms = std::stoull(value);
        } else {
            unknown_fields.push_back(field);
        }
    }

    void dispatch() {
        last_id = id_buffer_;
        if (has_data_)
            events.push_back({type_.empty() ? "message" : type_, data_.substr(0, data_.size() - 1), last_id});
        data_.clear();
        type_.clear();
        has_data_ = false;
    }

    std::string data_, type_, id_buffer_;
    bool has_data_ = false;
};

}  // namespace pulsewire::event_stream::testing
