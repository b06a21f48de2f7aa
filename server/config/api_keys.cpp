#include "server/config/api_keys.hpp"

#include "server/base/host_name.hpp"
#include "server/text.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

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

}  // namespace

api_keys::api_keys(const config& c) {
    const std::size_t characters_min = is_loopback_address(c.address) ? 1 : public_characters_min;
    if (!c.api_key.empty()) {
        check_length(c.api_key, "api_key", characters_min);
        keys_.push_back({"api_key", hash_of(c.api_key)});
    }
    if (!c.api_key_file.empty()) read_file(c.api_key_file, characters_min);
}

const std::string* api_keys::name_of(std::string_view key) const {
    const digest given = hash_of(key);
    const std::string* found = nullptr;
    for (const named& one : keys_)
        if (CRYPTO_memcmp(one.hash.data(), given.data(), given.size()) == 0) found = &one.name;
    return found;
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
    const std::size_t space = line.find_first_of(" \t");
    const bool has_name = space != std::string_view::npos;
    const std::string name(has_name ? line.substr(0, space) : "api_key_file");
    const std::string_view key = has_name ? trimmed(line.substr(space)) : line;
    if (key.find_first_of(" \t") != std::string_view::npos)
        refuse(place, "has more than a name and a key: a key has no spaces");
    if (!key.starts_with(hashed)) {
        check_length(key, place, characters_min);
        keys_.push_back({name, hash_of(key)});
        return;
    }
    const std::string_view digits = key.substr(hashed.size());
    named hash{name, {}};
    bool whole = digits.size() == 2 * hash.hash.size();
    for (std::size_t i = 0; whole && i < hash.hash.size(); ++i) {
        const int high = digit_of(digits[2 * i]), low = digit_of(digits[2 * i + 1]);
        whole = high >= 0 && low >= 0;
        hash.hash[i] = static_cast<unsigned char>(high * 16 + low);
    }
    if (!whole)
        refuse(
            place, "is no SHA-256 hash: \"sha256:\" and 64 hex digits, as: printf %s \"$KEY\" | sha256sum"
        );
    keys_.push_back(std::move(hash));
}

}  // namespace pulsewire::shell
