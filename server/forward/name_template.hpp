#pragma once

// A text with holes that a publication fills: "orders.{type}", "{channel}".

#include "common/base/result.hpp"
#include "server/forward/publication.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell::forward {

// What the names of a destination are made of. A byte that cannot be there becomes '-': two channels may
// share a place, and their records say which they are of.
enum class alphabet : std::uint8_t {
    any,
    topic,    // Kafka: letters, digits, '.', '_' and '-'
    subject,  // NATS: tokens between dots, without white space, '*' and '>'
};

class name_template {
public:
    // The error is a part of a sentence: what is wrong with the text.
    static result<name_template, std::string> read(std::string_view text);

    std::string fill(const publication& from, alphabet of) const;
    bool has_holes() const;

private:
    enum class kind : std::uint8_t { text, channel, name_space, type, user };
    struct piece {
        kind what = kind::text;
        std::string text;
    };
    std::vector<piece> pieces_;
};

}  // namespace pulsewire::shell::forward
