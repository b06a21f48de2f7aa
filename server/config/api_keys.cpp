#include "server/config/api_keys.hpp"

#include "common/access/pattern.hpp"
#include "server/base/host_name.hpp"
#include "server/text.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace pulsewire::shell {
namespace {

constexpr std::string_view hashed = "sha256:";

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
    throw std::runtime_error(place + " " + what);
}

void check_length(std::string_view key, const std::string& place, std::size_t characters_min) {
    if (key.size() >= characters_min) return;
    refuse(
        place, "is a key of " + std::to_string(key.size()) +
                   " characters, which can be guessed: take at least " + std::to_string(characters_min) +
                   ", for example the output of: openssl rand -hex 24"
    );
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1;
}

// The next word, without the space around it; empty at the end.
std::string_view take_word(std::string_view& rest) {
    const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest = trimmed(rest.substr(end));
    return word;
}

// Adds "news:**=publish,history". An error is the end of a sentence, without a word of the text.
std::string add_permission(access::grants& to, std::string_view text) {
    // A channel's name may have a '=', an operation has none.
    const std::size_t equals = text.rfind('=');
    if (equals == std::string_view::npos)
        return "is no permission, a pattern with operations as in news:**=publish,history: a key has no "
               "spaces";
    const std::string_view pattern = text.substr(0, equals);
    if (const std::string_view fault = access::fault_of_pattern(pattern); !fault.empty())
        return "is no permission: its pattern " + std::string(fault);
    operations allowed;
    for (std::string_view names = text.substr(equals + 1); !names.empty();) {
        const std::size_t comma = std::min(names.find(','), names.size());
        const auto one = operation_named(names.substr(0, comma));
        if (!one)
            return "is no permission: the operations are subscribe, history, publish, presence, show, "
                   "request and respond, with commas between them";
        allowed |= *one;
        names.remove_prefix(std::min(comma + 1, names.size()));
    }
    if (allowed.empty()) return "is no permission: it names no operation";
    return to.add(pattern, allowed).empty() ? "" : "are too many permissions";
}

access::principal_ptr only(access::grants allowed) {
    access::principal p;
    p.expires_ms = std::numeric_limits<std::int64_t>::max() / 2;
    p.allowed = std::move(allowed);
    p.is_program = true;
    return std::make_shared<const access::principal>(std::move(p));
}

}  // namespace

api_keys::api_keys(const config& c) {
    const std::size_t characters_min = is_loopback_address(c.address) ? 1 : public_characters_min;
    if (!c.api_key.empty()) {
        check_length(c.api_key, "api_key", characters_min);
        keys_.push_back({{"api_key", nullptr}, hash_of(c.api_key)});
    }
    for (std::size_t i = 0; i < c.api_keys.size(); ++i) {
        const api_key_settings& one = c.api_keys[i];
        const std::string place = "api_keys[" + std::to_string(i) + "]";
        if (one.name.empty()) refuse(place, "has no name, by which the log could call it");
        add({one.name, one.allow ? only(*one.allow) : nullptr}, one.key, place, characters_min);
    }
    if (!c.api_key_file.empty()) read_file(c.api_key_file, characters_min);
}

const api_key* api_keys::find(std::string_view key) const {
    const digest given = hash_of(key);
    const api_key* found = nullptr;
    for (const hashed_key& one : keys_)
        if (CRYPTO_memcmp(one.hash.data(), given.data(), given.size()) == 0) found = &one.is;
    return found;
}

const std::string* api_keys::name_of(std::string_view key) const {
    const api_key* found = find(key);
    return found == nullptr ? nullptr : &found->name;
}

api_keys::digest api_keys::hash_of(std::string_view key) {
    digest hash{};
    unsigned int size = 0;
    if (EVP_Digest(key.data(), key.size(), hash.data(), &size, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("OpenSSL has no SHA-256, which API keys need");
    return hash;
}

void api_keys::read_file(const std::string& path, std::size_t characters_min) {
    const auto unreadable = [&](int error) {
        refuse(
            "api_key_file " + path, "cannot be read: " + std::generic_category().message(error) +
                                        ". Is the path right, and may the server's user read it?"
        );
    };
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) unreadable(EISDIR);
    std::ifstream file(path);
    if (!file) unreadable(errno);
    std::size_t number = 0;
    const std::size_t before = keys_.size();
    for (std::string line; std::getline(file, line);) {
        const std::string place = "api_key_file " + path + ", line " + std::to_string(++number);
        if (line.ends_with('\r')) line.pop_back();
        add_line(trimmed(line), place, characters_min);
    }
    if (keys_.size() == before) refuse("api_key_file " + path, "has no key in it: write one a line");
}

// No sentence quotes the line, which may be a key.
void api_keys::add_line(std::string_view line, const std::string& place, std::size_t characters_min) {
    if (line.empty() || line.starts_with('#')) return;
    std::string_view rest = line;
    const std::string_view first = take_word(rest), second = take_word(rest);
    if (second.empty()) return add({"api_key_file", nullptr}, first, place, characters_min);
    access::grants allowed;
    if (add_permission(allowed, second).empty())
        refuse(place, "has permissions and no name: it is a name, a key, and then what the key is for");
    if (rest.empty()) return add({std::string(first), nullptr}, second, place, characters_min);
    while (!rest.empty()) {
        if (const std::string wrong = add_permission(allowed, take_word(rest)); !wrong.empty())
            refuse(place, "has more than a name and a key, and what follows the key " + wrong);
    }
    add({std::string(first), only(std::move(allowed))}, second, place, characters_min);
}

void api_keys::add(api_key is, std::string_view key, const std::string& place, std::size_t characters_min) {
    if (!key.starts_with(hashed)) {
        check_length(key, place, characters_min);
        keys_.push_back({std::move(is), hash_of(key)});
        return;
    }
    const std::string_view digits = key.substr(hashed.size());
    hashed_key made{std::move(is), {}};
    bool whole = digits.size() == 2 * made.hash.size();
    for (std::size_t i = 0; whole && i < made.hash.size(); ++i) {
        const int high = digit_of(digits[2 * i]), low = digit_of(digits[2 * i + 1]);
        whole = high >= 0 && low >= 0;
        made.hash[i] = static_cast<unsigned char>(high * 16 + low);
    }
    if (!whole)
        refuse(
            place, "is no SHA-256 hash: \"sha256:\" and 64 hex digits, as: printf %s \"$KEY\" | sha256sum"
        );
    keys_.push_back(std::move(made));
}

}  // namespace pulsewire::shell
