#pragma once

// What a record becomes: a publication by the settings of its feed, or the reason why it can be none.

#include "common/base/result.hpp"
#include "server/config.hpp"
#include "server/feed/record.hpp"
#include "server/feed/text_template.hpp"

#include <cstdint>
#include <string>

namespace pulsewire::shell::feed {

struct publication {
    std::string channel;
    std::string type;
    std::string key;      // never empty
    std::string payload;  // valid JSON without line ends
};

class mapping {
public:
    // The error is a sentence for the operator: which setting is wrong, and what would be right.
    static result<mapping, std::string> read(const consume_settings& of, std::uint32_t payload_bytes_max);

    // The error is a sentence without its end, and says nothing of the record but names and places.
    result<publication, std::string> publication_of(const record& from) const;

private:
    mapping() = default;

    std::string feed_;
    text_template channel_, type_, key_;
    std::string payload_;  // a JSON pointer
    std::uint32_t payload_bytes_max_ = 0;
};

}  // namespace pulsewire::shell::feed
