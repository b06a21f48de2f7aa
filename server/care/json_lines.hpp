#pragma once

// A data folder as text: one JSON object a line, for other programs and other versions.
//
//   {"pulsewire_export":1}
//   {"channel":"chat:42","epoch":"Zk3…","head":12}                     each channel, before its publications
//   {"channel":"chat:42","epoch":"Zk3…","offset":12,"type":"chat.message","time":1764512345678,"key":"…","payload":{…}}
//
// `time` is in milliseconds since 1970; `key` (of the publish), `except`, `conflate` and `user` are there
// where the publication has them. Payloads are the text that was published, or base64 beside `"binary":true`
// (docs/protocol.md 2.5). Not in it: what names the folder
// and signs cookies, revoked tokens, keys of publishes whose publications are gone, and for those of others
// what was published with them.

#include "server/care/progress.hpp"

#include <cstdint>
#include <iosfwd>
#include <string>

namespace pulsewire::care {

struct line_counts {
    std::uint64_t channels = 0, publications = 0;
};

// Precondition: nobody changes the folder. Throws std::runtime_error with a sentence, before anything is
// written when the folder is damaged.
line_counts export_lines(const std::string& folder, std::ostream& out, progress& on);

// Makes the folder, which is not there yet or empty, with the same channels at the same positions. Throws
// std::runtime_error with a sentence that names the line, and then nothing is imported.
line_counts import_lines(std::istream& in, const std::string& folder, progress& on);

}  // namespace pulsewire::care
