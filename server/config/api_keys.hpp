#pragma once

// The API keys of a server. Only their hashes stay in memory, so comparing them takes the same time for every
// guess, and a core dump shows none.

#include "common/access/principal.hpp"
#include "server/config.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell {

struct api_key {
    std::string name;  // of a key without one: "api_key" or "api_key_file"
    // Null: it may do everything. Otherwise it publishes and reads as this says, and does nothing else.
    access::principal_ptr only;
};

class api_keys {
public:
    api_keys() = default;  // none
    // Those of the settings and of their file. Throws std::runtime_error with a sentence for the operator:
    // the file cannot be read or has a wrong line, or a key is too short for an address that others reach.
    explicit api_keys(const config& c);

    // Without keys the API is open.
    bool empty() const { return keys_.empty(); }
    std::size_t size() const { return keys_.size(); }
    // Null when it is none of ours. Takes as long for a nearly right guess as for a wrong one.
    const api_key* find(std::string_view key) const;
    // The name of the key; null when it is none of ours.
    const std::string* name_of(std::string_view key) const;

    // Characters of a key on an address other than loopback; fewer: refused at the start.
    static constexpr std::size_t public_characters_min = 16;

private:
    using digest = std::array<unsigned char, 32>;  // SHA-256
    struct hashed_key {
        api_key is;
        digest hash;
    };
    static digest hash_of(std::string_view key);
    void read_file(const std::string& path, std::size_t characters_min);
    void add_line(std::string_view line, const std::string& place, std::size_t characters_min);
    void add(api_key is, std::string_view key, const std::string& place, std::size_t characters_min);

    std::vector<hashed_key> keys_;
};

}  // namespace pulsewire::shell
