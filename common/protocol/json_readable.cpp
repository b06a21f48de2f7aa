#include "common/protocol/json_readable.hpp"

#include "common/base/json_pointer.hpp"
#include "common/protocol/json_scan.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace pulsewire {
namespace {

// Walks through one value. `path` is the pointer to where it stands; each member and element extends it.
class walk {
public:
    explicit walk(std::string_view json) : scan_(json) {}

    std::optional<unreadable_value> find() {
        value();
        return std::move(found_);
    }

private:
    void value() {
        if (scan_.peek('{')) return object();
        if (scan_.peek('[')) return array();
        std::string_view scalar;
        if (!scan_.take_value(scalar, 0) || !scan_.has_unreadable()) return;
        report(
            scalar.front() == '"' ? "half a surrogate pair stands in a string"
                                  : "a number is too large for a double"
        );
    }

    void object() {
        (void)scan_.take('{');
        if (scan_.take('}')) return;
        do {
            std::string_view key;
            if (!scan_.take_string(key)) return;
            if (scan_.has_unreadable()) return report("half a surrogate pair stands in a key");
            (void)scan_.take(':');
            const std::size_t above = path_.size();
            std::string plain;
            append_unescaped(plain, key);
            append_pointer_token(path_, plain);
            value();
            if (found_) return;
            path_.resize(above);
        } while (scan_.take(','));
        (void)scan_.take('}');
    }

    void array() {
        (void)scan_.take('[');
        if (scan_.take(']')) return;
        const std::size_t above = path_.size();
        std::size_t index = 0;
        do {
            path_ += '/' + std::to_string(index++);
            value();
            if (found_) return;
            path_.resize(above);
        } while (scan_.take(','));
        (void)scan_.take(']');
    }

    void report(std::string what) { found_ = unreadable_value{path_, std::move(what)}; }

    json_scan scan_;
    std::string path_;
    std::optional<unreadable_value> found_;
};

}  // namespace

std::optional<unreadable_value> first_unreadable(std::string_view json) {
    return walk(json).find();
}

}  // namespace pulsewire
