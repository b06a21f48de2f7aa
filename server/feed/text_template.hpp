#pragma once

// A text with holes that a record fills: "orders:{key}", "{header:tenant}", "{/customer/id}".

#include "common/base/result.hpp"
#include "server/feed/record.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell::feed {

class text_template {
public:
    // The error is a part of a sentence: what is wrong with the text.
    static result<text_template, std::string> read(std::string_view text);

    // How the values of holes are written. As a part of a channel's name: bytes other than letters, digits,
    // '_', '-' and '.' become "=XX", so that no value ends its part of the name, begins a namespace or equals
    // another value.
    enum class values : bool { as_they_are, as_part_of_channel };
    // The error says which hole cannot be filled. Precondition: the record's value is JSON.
    result<std::string, std::string> fill(const record& from, values how) const;

    // What comes before the first hole.
    std::string_view beginning() const { return pieces_.empty() ? std::string_view() : pieces_.front().text; }
    bool has_holes() const;

private:
    enum class kind : std::uint8_t { text, key, header, pointer };
    struct piece {
        kind what = kind::text;
        std::string text;  // the text itself, the header's name, or the pointer
    };
    static result<std::string, std::string> value_of(const piece& hole, const record& from);

    std::vector<piece> pieces_;
};

}  // namespace pulsewire::shell::feed
