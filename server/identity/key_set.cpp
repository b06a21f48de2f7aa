#include "server/identity/key_set.hpp"

#include "server/identity/base64url.hpp"
#include "server/identity/openssl.hpp"
#include "server/identity/strict_json.hpp"
#include "server/log.hpp"
#include "server/text.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace pulsewire::identity {
namespace {

using nlohmann::json;
using text_fault = failure<std::string>;

constexpr std::string_view pem_begins = "-----BEGIN ";

std::string fault_of_kind(const key& k, key_kind wanted) {
    if (k.is_secret() == (wanted == key_kind::secrets)) return {};
    return k.is_secret() ? "is a secret (\"oct\") in a place for public keys"
                         : "is a public key in a place for secrets";
}

result<key, std::string> key_of(const json& jwk, key_kind wanted) {
    auto made = key::from_jwk(jwk);
    if (!made) return made;
    if (std::string fault = fault_of_kind(*made, wanted); !fault.empty()) return text_fault{std::move(fault)};
    return made;
}

std::string named(const json& jwk, std::size_t index) {
    const std::string* id = jwk.is_object() ? string_member(jwk, "kid") : nullptr;
    return "key " + std::to_string(index + 1) +
           (id != nullptr ? " (kid \"" + log::printable(*id) + "\")" : "");
}

// The names of the keys for signatures, those that cannot be used included.
std::vector<std::string> names_in(const json& keys) {
    std::vector<std::string> names;
    for (const json& jwk : keys) {
        const std::string* id = jwk.is_object() ? string_member(jwk, "kid") : nullptr;
        const std::string* use = jwk.is_object() ? string_member(jwk, "use") : nullptr;
        if (id != nullptr && (use == nullptr || *use == "sig")) names.push_back(*id);
    }
    return names;
}

void leave_out_equal_names(key_set& set, const std::vector<std::string>& names) {
    const auto is_twice = [&](const key& k) { return std::count(names.begin(), names.end(), k.id()) > 1; };
    for (const key& k : set.keys)
        if (is_twice(k))
            set.left_out.push_back(
                "a key is not used because several have its kid \"" + log::printable(k.id()) +
                "\": which one is meant?"
            );
    std::erase_if(set.keys, is_twice);
}

result<key_set, std::string> parse_jwks(const json& keys, key_kind wanted) {
    if (!keys.is_array()) return text_fault{"has \"keys\" that are no list"};
    if (keys.size() > keys_max)
        return text_fault{
            "has " + std::to_string(keys.size()) + " keys, and may have " + std::to_string(keys_max)};
    key_set set;
    bool has_secret = false, has_public = false;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const std::string* kty = keys[i].is_object() ? string_member(keys[i], "kty") : nullptr;
        (kty != nullptr && *kty == "oct" ? has_secret : has_public) = true;
        auto made = key_of(keys[i], wanted);
        if (made)
            set.keys.push_back(std::move(*made));
        else
            set.left_out.push_back(named(keys[i], i) + " " + made.error());
    }
    // One of both kinds was given away by mistake or made for something else.
    if (has_secret && has_public)
        return text_fault{"has secrets (\"oct\") and public keys together: keep them apart"};
    leave_out_equal_names(set, names_in(keys));
    return set;
}

std::string joined(const std::vector<std::string>& sentences) {
    std::string text;
    for (const std::string& one : sentences) text += (text.empty() ? "" : "; ") + one;
    return text;
}

// The public key of the next PEM block; null when there is none, or it is of another kind.
pkey_ptr next_public_key(BIO* from, std::string& kind) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(from, &name, &header, &data, &size) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    kind = name;
    const unsigned char* at = data;
    pkey_ptr loaded;
    if (kind == PEM_STRING_PUBLIC) {
        loaded.reset(d2i_PUBKEY(nullptr, &at, size));
    } else if (kind == PEM_STRING_X509) {
        const std::unique_ptr<X509, freed_by<X509_free>> certificate(d2i_X509(nullptr, &at, size));
        if (certificate) loaded.reset(X509_get_pubkey(certificate.get()));
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    ERR_clear_error();
    return loaded;
}

result<key_set, std::string> parse_pem(std::string_view text) {
    const bio_ptr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    key_set set;
    while (set.keys.size() < keys_max) {
        std::string kind;
        pkey_ptr loaded = next_public_key(bio.get(), kind);
        if (kind.empty()) break;
        if (kind.find("PRIVATE") != std::string::npos)
            return text_fault{
                "has a private key: whoever reads it can make tokens. Take the public key alone (openssl "
                "pkey "
                "-in private.pem -pubout)"};
        if (!loaded) return text_fault{"has a block \"" + log::printable(kind) + "\" that is no public key"};
        auto made = key::from_public(std::move(loaded));
        if (!made) return text_fault{"has a key that " + made.error()};
        set.keys.push_back(std::move(*made));
    }
    if (set.keys.empty()) return text_fault{"has no public key that can be read"};
    return set;
}

using parser = result<key_set, std::string> (*)(std::string_view);

// Calls `take` with each line that may be a secret and its number, until it returns false.
template <class Take>
void for_each_secret(std::string_view text, Take&& take) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        line = shell::trimmed(line);
        if (!line.empty() && !line.starts_with('#') && !take(line, number)) return;
    }
}

bool is_json(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size())).starts_with('{');
}

result<std::string, std::string> text_of_file(const std::string& path) {
    const auto unreadable = [&](int error) {
        return text_fault{
            "cannot be read: " + std::generic_category().message(error) +
            ". Is the path right, and may the server's user read it?"};
    };
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) return unreadable(EISDIR);
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) return unreadable(errno == 0 ? ENOENT : errno);
    std::string text(key_text_bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > key_text_bytes_max)
        return text_fault{"is larger than " + std::to_string(key_text_bytes_max) + " bytes"};
    return text;
}

// Empty, or the fault of what is called `place`.
std::string add(key_set& all, const std::string& place, result<key_set, std::string> more) {
    if (!more) return place + " " + more.error() + ".";
    if (more->keys.empty())
        return place + " has no key that can be used" +
               (more->left_out.empty() ? "." : ": " + joined(more->left_out) + ".");
    std::move(more->keys.begin(), more->keys.end(), std::back_inserter(all.keys));
    for (std::string& sentence : more->left_out) all.left_out.push_back(place + ": " + std::move(sentence));
    return {};
}

std::string add_file(key_set& all, const std::string& what, const std::string& path, parser parse) {
    if (path.empty()) return {};
    const std::string place = what + " " + log::printable(path);
    const auto text = text_of_file(path);
    return text ? add(all, place, parse(*text)) : place + " " + text.error();
}

}  // namespace

result<key_set, std::string> parse_jwk_set(std::string_view text, key_kind wanted) {
    const auto object = parse_strict_object(text);
    if (!object) return failure{object.error()};
    if (const auto keys = object->find("keys"); keys != object->end()) return parse_jwks(*keys, wanted);
    auto made = key_of(*object, wanted);
    if (!made) return failure{made.error()};
    key_set set;
    set.keys.push_back(std::move(*made));
    return set;
}

result<key_set, std::string> parse_public_keys(std::string_view text) {
    if (text.find(pem_begins) != std::string_view::npos) return parse_pem(text);
    return parse_jwk_set(text, key_kind::public_keys);
}

result<key_set, std::string> parse_secrets(std::string_view text) {
    if (is_json(text)) return parse_jwk_set(text, key_kind::secrets);
    // The public key as a secret would let everybody make tokens (CVE-2016-10555 and its kind).
    if (text.find(pem_begins) != std::string_view::npos)
        return text_fault{"is PEM, which is no secret: name a public key with token_key_file"};
    key_set set;
    std::string fault;
    for_each_secret(text, [&](std::string_view line, std::size_t number) {
        auto made = key::from_secret(line);
        if (!made)
            fault = "in line " + std::to_string(number) + " " + made.error();
        else if (set.keys.size() == keys_max)
            fault = "has more than " + std::to_string(keys_max) + " secrets";
        else
            set.keys.push_back(std::move(*made));
        return fault.empty();
    });
    if (!fault.empty()) return text_fault{std::move(fault)};
    return set;
}

result<key_set, std::string> configured_keys(const token_issuer& settings) {
    key_set all;
    std::string fault;
    if (!settings.secret.empty()) fault = add(all, "token_secret", parse_secrets(settings.secret));
    if (fault.empty()) fault = add_file(all, "token_secret_file", settings.secret_file, parse_secrets);
    if (fault.empty()) fault = add_file(all, "token_key_file", settings.key_file, parse_public_keys);
    if (!fault.empty()) return failure{std::move(fault)};
    return all;
}

result<std::string, std::string> text_of_key_file(const std::string& path) {
    return text_of_file(path);
}

result<shared_secret, std::string> first_secret(const token_issuer& settings) {
    std::string text = settings.secret;
    if (text.empty() && !settings.secret_file.empty()) {
        auto read = text_of_file(settings.secret_file);
        if (!read) return text_fault{"has a token_secret_file that " + read.error()};
        text = std::move(*read);
    }
    shared_secret first;
    if (is_json(text)) {
        auto object = parse_strict_object(text);
        if (!object) return text_fault{"has a secret that " + object.error()};
        const auto keys = object->find("keys");
        const bool is_set = keys != object->end() && keys->is_array() && !keys->empty();
        const json& jwk = is_set ? keys->front() : *object;
        const std::string* k = jwk.is_object() ? string_member(jwk, "k") : nullptr;
        const std::string* id = jwk.is_object() ? string_member(jwk, "kid") : nullptr;
        first.bytes = (k != nullptr ? from_base64url(*k) : std::nullopt).value_or("");
        if (id != nullptr) first.key_id = *id;
    } else {
        for_each_secret(text, [&](std::string_view line, std::size_t) {
            first.bytes = line;
            return false;
        });
    }
    if (first.bytes.empty()) return text_fault{"has no secret"};
    return first;
}

}  // namespace pulsewire::identity
