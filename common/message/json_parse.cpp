#include "common/message/json.hpp"

#include <array>
#include <utility>

namespace pulsewire {

namespace {

constexpr int number_overflow = 406;  // nlohmann_json's id of the error

payload_error malformed(std::size_t byte) {
    return {"", "", "JSON", "malformed JSON at byte " + std::to_string(byte)};
}

// Takes nlohmann_json's parser events and builds the value. The library's own builder has no limit of depth,
// and its parser callback can leave values out but not stop.
class builder {
public:
    explicit builder(json_value& root) : root_(root) {}

    bool null() { return place(nullptr) != nullptr; }
    bool boolean(bool value) { return place(value) != nullptr; }
    bool number_integer(json_value::number_integer_t value) { return place(value) != nullptr; }
    bool number_unsigned(json_value::number_unsigned_t value) { return place(value) != nullptr; }
    bool number_float(json_value::number_float_t value, const std::string&) {
        return place(value) != nullptr;
    }
    bool string(std::string& value) { return place(std::move(value)) != nullptr; }
    bool binary(json_value::binary_t&) { return false; }  // does not occur in JSON text

    bool start_object(std::size_t) { return open(json_value::object()); }
    bool start_array(std::size_t) { return open(json_value::array()); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }
    bool key(std::string& name) {
        member_ = &(*open_[depth_ - 1])[std::move(name)];
        return true;
    }

    bool parse_error(std::size_t byte, const std::string&, const json_value::exception& why) {
        error_ = malformed(byte);
        if (why.id == number_overflow) {
            error_.expected = "numbers that fit a double";
            error_.found = "a larger one at byte " + std::to_string(byte);
        }
        return false;
    }

    payload_error& error() { return error_; }

private:
    // The pointers in open_ stay valid: an array grows only while none of its elements is open.
    json_value* place(json_value value) {
        json_value* where = &root_;
        if (depth_ > 0) {
            json_value& parent = *open_[depth_ - 1];
            if (parent.is_array()) {
                parent.push_back(std::move(value));
                return &parent.back();
            }
            where = member_;
        }
        *where = std::move(value);
        return where;
    }

    bool open(json_value empty) {
        if (depth_ == open_.size()) {
            std::string levels = std::to_string(payload_depth_max);
            return refuse(error_, "JSON at most " + levels + " levels deep", "a deeper level");
        }
        json_value* placed = place(std::move(empty));
        open_[depth_++] = placed;
        return true;
    }

    bool close() {
        --depth_;
        return true;
    }

    json_value& root_;
    std::array<json_value*, payload_depth_max> open_{};
    std::size_t depth_ = 0;
    json_value* member_ = nullptr;  // the place of the value of the last key
    payload_error error_;
};

}  // namespace

result<json_value, payload_error> parse_json(std::string_view json) {
    // nlohmann_json skips a byte order mark, and takes a NUL byte for the end of the text.
    if (json.substr(0, 3) == "\xEF\xBB\xBF") return failure{malformed(1)};
    if (auto nul = json.find('\0'); nul != std::string_view::npos) return failure{malformed(nul + 1)};

    json_value root;
    builder events(root);
    if (!json_value::sax_parse(json.begin(), json.end(), &events)) return failure{std::move(events.error())};
    return root;
}

}  // namespace pulsewire
