#include "server/identity/token_verifier.hpp"

#include "common/protocol/limits.hpp"
#include "server/identity/base64url.hpp"
#include "server/identity/claims.hpp"
#include "server/identity/key_fetcher.hpp"
#include "server/identity/key_set.hpp"
#include "server/identity/strict_json.hpp"
#include "server/identity/token_cache.hpp"
#include "server/log.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace pulsewire::identity {
namespace {

using nlohmann::json;
using keys_ptr = std::shared_ptr<const std::vector<key>>;

// Keys are looked for among those of the token's issuer alone: one issuer's key of the same "kid" proves
// nothing about another's tokens (CVE-2026-49998).
struct issuer_keys {
    keys_ptr configured;  // never null
    keys_ptr fetched;     // null: none so far
};

// Everything that one verification looks at. It never changes; other keys are another one.
struct known_keys {
    std::vector<issuer_keys> of_issuers;  // as the settings' list
    mutable token_cache cache;
};

// The parts of a token, which belongs to the caller.
struct token_parts {
    std::string_view signed_text;
    json header;
    json claims;
    std::string signature;
    algorithm is;
    std::string key_id;  // empty: none
    std::string issuer;
};

refused refuse(token_fault fault, std::string why, const token_parts& from) {
    return {fault, std::move(why), log::printable(from.key_id), log::printable(from.issuer)};
}

// One of the two JSON parts; an error is the end of a sentence.
result<json, std::string> read_part(std::string_view text) {
    const auto decoded = from_base64url(text);
    if (!decoded) return failure{std::string("is not in base64url without padding")};
    return parse_strict_object(*decoded);
}

// Empty, or the fault of the header.
std::optional<refused> read_header(token_parts& into) {
    // RFC 7515 4.1.11: an extension that is not understood makes a token invalid, and none is understood
    // here.
    for (const char* extension : {"crit", "b64"})
        if (into.header.contains(extension))
            return refuse(
                token_fault::malformed,
                "the token's header has \"" + std::string(extension) + "\", which is not supported", into
            );
    if (const auto id = into.header.find("kid"); id != into.header.end()) {
        if (!id->is_string()) return refuse(token_fault::malformed, "the token's \"kid\" is no text", into);
        into.key_id = id->get<std::string>();
    }
    const std::string* name = string_member(into.header, "alg");
    if (name == nullptr) return refuse(token_fault::malformed, "the token's header has no \"alg\"", into);
    const auto named = algorithm_named(*name);
    if (!named)
        return refuse(
            token_fault::algorithm,
            "the token's algorithm is \"" + log::printable(*name) + "\", which is not supported", into
        );
    into.is = *named;
    return std::nullopt;
}

std::optional<refused> take_apart(std::string_view token, token_parts& into) {
    const auto malformed = [&](const std::string& why) { return refuse(token_fault::malformed, why, into); };
    if (token.size() > token_bytes_max)
        return malformed("the token is longer than " + std::to_string(token_bytes_max) + " bytes");
    const std::size_t first = token.find('.');
    const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
    if (second == token.npos || token.find('.', second + 1) != token.npos)
        return malformed("the token does not consist of three parts with a '.' between them");
    into.signed_text = token.substr(0, second);
    auto header = read_part(token.substr(0, first));
    if (!header) return malformed("the token's header " + header.error());
    into.header = std::move(*header);
    auto claims = read_part(token.substr(first + 1, second - first - 1));
    if (!claims) return malformed("the token's claims: the text " + claims.error());
    into.claims = std::move(*claims);
    if (const std::string* issuer = string_member(into.claims, "iss")) into.issuer = *issuer;
    if (auto fault = read_header(into)) return fault;
    auto signature = from_base64url(token.substr(second + 1));
    if (!signature || signature->empty())
        return malformed("the token's signature is not in base64url, or missing");
    into.signature = std::move(*signature);
    return std::nullopt;
}

enum class key_search { verified, wrong_signature, wrong_algorithm, unknown };

// A key without a name is tried for every token, a key with one for those alone that name it or no key.
// `more_keys`: the issuer can have others by now.
key_search search(const issuer_keys& of, const token_parts& token, bool more_keys) {
    bool tried = false, named = false, other_algorithm = false;
    for (const keys_ptr& list : {of.configured, of.fetched}) {
        if (!list) continue;
        for (const key& k : *list) {
            if (!k.id().empty() && !token.key_id.empty() && k.id() != token.key_id) continue;
            named |= !k.id().empty() && k.id() == token.key_id;
            if (!k.allows(token.is)) {
                other_algorithm = true;
                continue;
            }
            if (k.verify(token.is, token.signed_text, token.signature)) return key_search::verified;
            tried = true;
        }
    }
    if (named) return tried ? key_search::wrong_signature : key_search::wrong_algorithm;
    if (more_keys) return key_search::unknown;
    return tried             ? key_search::wrong_signature
           : other_algorithm ? key_search::wrong_algorithm
                             : key_search::unknown;
}

keys_ptr shared(std::vector<key> keys) {
    return std::make_shared<const std::vector<key>>(std::move(keys));
}

}  // namespace

struct token_verifier::parts {
    std::vector<token_issuer> issuers;
    std::vector<std::size_t> fetched;  // the issuers with a jwks_url
    mutable std::mutex mutex;          // for `current`, held for moments
    std::shared_ptr<const known_keys> current;
    // Last, so that its thread ends before what it uses.
    std::unique_ptr<key_fetcher> fetcher;

    std::shared_ptr<const known_keys> keys() const {
        const std::lock_guard lock(mutex);
        return current;
    }
    // Puts other keys in the place of the present ones. The verifications under way keep theirs.
    template <class Change>
    void replace(Change&& change) {
        auto next = std::make_shared<known_keys>();
        const std::lock_guard lock(mutex);
        if (current) next->of_issuers = current->of_issuers;
        next->of_issuers.resize(issuers.size());
        change(next->of_issuers);
        current = std::move(next);
    }
    void read_configured();
    outcome without_key(
        const known_keys& known, std::size_t index, key_search found, const token_parts& token
    ) const;
};

void token_verifier::parts::read_configured() {
    std::vector<keys_ptr> read;
    for (const token_issuer& one : issuers) {
        auto set = configured_keys(one);
        if (!set) throw std::runtime_error(set.error());
        if (set->keys.empty() && one.jwks_url.empty())
            throw std::runtime_error(
                "the issuer " + log::printable(one.issuer) +
                " has no key: set token_secret_file, token_key_file or token_jwks_url."
            );
        for (const std::string& sentence : set->left_out) log::info(sentence);
        read.push_back(shared(std::move(set->keys)));
    }
    replace([&](std::vector<issuer_keys>& all) {
        for (std::size_t i = 0; i < all.size(); ++i) all[i].configured = std::move(read[i]);
    });
}

// The answer about a token that no key has signed.
outcome token_verifier::parts::without_key(
    const known_keys& known, std::size_t index, key_search found, const token_parts& token
) const {
    const std::string key_id =
        token.key_id.empty() ? "no key" : "the key \"" + log::printable(token.key_id) + "\"";
    if (found == key_search::wrong_signature)
        return refuse(
            token_fault::signature,
            "the token's signature is wrong: it was made with another key, or changed since", token
        );
    if (found == key_search::wrong_algorithm)
        return refuse(
            token_fault::algorithm,
            "the token's algorithm is " + std::string(facts_of(token.is).name) +
                ", which its issuer's key does not have",
            token
        );
    const auto place = std::find(fetched.begin(), fetched.end(), index);
    if (place == fetched.end() || !fetcher)
        return refuse(
            token_fault::key, "the token names " + key_id + ", and its issuer has none like it", token
        );
    if (fetcher->want(static_cast<std::size_t>(place - fetched.begin())))
        return unknown_key{log::printable(token.key_id), log::printable(token.issuer)};
    const issuer_keys& keys = known.of_issuers[index];
    if (keys.configured->empty() && !keys.fetched)
        return refuse(
            token_fault::unavailable, "the keys of the token's issuer could not be had so far", token
        );
    return refuse(
        token_fault::key,
        "the token names " + key_id + ", and its issuer, who was asked a moment ago, has none like it", token
    );
}

token_verifier::token_verifier(std::vector<token_issuer> issuers) : parts_(std::make_unique<parts>()) {
    parts_->issuers = std::move(issuers);
    for (std::size_t i = 0; i < parts_->issuers.size(); ++i)
        if (!parts_->issuers[i].jwks_url.empty()) parts_->fetched.push_back(i);
    parts_->read_configured();
}

token_verifier::~token_verifier() = default;

bool token_verifier::has_issuers() const {
    return !parts_->issuers.empty();
}

outcome token_verifier::verify(std::string_view token, std::int64_t wall_ms) const {
    const auto known = parts_->keys();
    const auto digest = token.size() <= token_bytes_max ? token_cache::digest_of(token) : std::nullopt;
    if (digest)
        if (auto found = known->cache.find(*digest, wall_ms)) return std::move(*found);
    token_parts apart{};
    if (auto fault = take_apart(token, apart)) return std::move(*fault);
    const auto issuer =
        std::find_if(parts_->issuers.begin(), parts_->issuers.end(), [&](const token_issuer& one) {
            return one.issuer == apart.issuer;
        });
    if (issuer == parts_->issuers.end())
        return refuse(
            token_fault::issuer,
            apart.issuer.empty() ? std::string("the token has no \"iss\"")
                                 : "the token is of \"" + log::printable(apart.issuer) +
                                       "\", and no such issuer is configured",
            apart
        );
    const auto index = static_cast<std::size_t>(issuer - parts_->issuers.begin());
    const key_search found = search(known->of_issuers[index], apart, !issuer->jwks_url.empty());
    if (found != key_search::verified) return parts_->without_key(*known, index, found, apart);
    auto checked = check_claims(apart.claims, *issuer, wall_ms);
    if (!checked) return refuse(checked.error().fault, checked.error().why, apart);
    if (digest) known->cache.keep(*digest, checked->as, checked->from_ms, checked->until_ms);
    return std::move(checked->as);
}

void token_verifier::start(std::function<void()> asked) {
    if (parts_->fetched.empty()) return;
    std::vector<key_fetcher::address> addresses;
    for (const std::size_t i : parts_->fetched)
        addresses.push_back({parts_->issuers[i].jwks_url, parts_->issuers[i].issuer});
    parts_->fetcher = std::make_unique<key_fetcher>(
        std::move(addresses),
        [p = parts_.get()](std::size_t place, key_set set) {
            auto keys = set.keys.empty() ? nullptr : shared(std::move(set.keys));
            p->replace([&](std::vector<issuer_keys>& all) {
                all[p->fetched[place]].fetched = std::move(keys);
            });
        },
        std::move(asked)
    );
}

void token_verifier::reload() {
    parts_->read_configured();
}

}  // namespace pulsewire::identity
