#include "server/config/token_command.hpp"

#include "server/identity/authenticator.hpp"
#include "server/identity/base64url.hpp"
#include "server/identity/key_set.hpp"
#include "server/identity/signing_key.hpp"
#include "server/identity/strict_json.hpp"
#include "server/identity/token_verifier.hpp"
#include "server/log.hpp"
#include "server/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>
#include <future>
#include <optional>
#include <stdexcept>
#include <utility>
#include <variant>

namespace pulsewire::shell {
namespace {

using nlohmann::json;

// "90s", "30m", "1h", "7d".
std::int64_t seconds_of(std::string_view text) {
    constexpr std::pair<char, std::int64_t> units[] = {{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}};
    for (const auto& [letter, seconds] : units) {
        if (!text.ends_with(letter)) continue;
        const auto number = parse_number(text.substr(0, text.size() - 1));
        constexpr std::uint64_t number_max = 1'000'000;
        if (number && *number > 0 && *number <= number_max)
            return static_cast<std::int64_t>(*number) * seconds;
    }
    throw std::runtime_error(
        "--expires is \"" + log::printable(text) +
        "\"; it must be a number with s, m, h or d after it, for example 1h"
    );
}

// {"chat:**": ["subscribe", "publish"]} of "chat:**=subscribe,publish". The verifier checks the names.
json allow_of(const std::vector<std::string>& all) {
    json allow = json::object();
    for (const std::string& one : all) {
        // A channel's name may have a '=', an operation has none.
        const std::size_t equals = one.rfind('=');
        if (equals == std::string::npos)
            throw std::runtime_error(
                "--allow is \"" + log::printable(one) +
                "\"; it must be a pattern, '=' and operations, for example "
                "'chat:**=subscribe,publish'"
            );
        json& list = allow[one.substr(0, equals)];
        std::string_view rest = std::string_view(one).substr(equals + 1);
        while (!rest.empty()) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            list.push_back(std::string(trimmed(rest.substr(0, comma))));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    return allow;
}

const token_issuer& chosen(const std::vector<token_issuer>& all, const std::string& name) {
    if (all.empty())
        throw std::runtime_error(
            "no issuer is configured, so no server could check the token: name the config file of the server "
            "with "
            "--config, or set PULSEWIRE_TOKEN_ISSUER, PULSEWIRE_TOKEN_AUDIENCE and PULSEWIRE_TOKEN_SECRET"
        );
    for (const token_issuer& one : all)
        if (name.empty() || one.issuer == name) return one;
    throw std::runtime_error(
        "--issuer is \"" + log::printable(name) + "\", and no issuer of this name is configured"
    );
}

identity::signing_key key_for(const token_issuer& issuer, const token_wishes& wanted) {
    if (!wanted.sign_with.empty()) {
        const auto text = identity::text_of_key_file(wanted.sign_with);
        if (!text)
            throw std::runtime_error("--sign-with " + log::printable(wanted.sign_with) + " " + text.error());
        auto key = identity::signing_key::from_pem(*text, wanted.key_id);
        if (!key)
            throw std::runtime_error("--sign-with " + log::printable(wanted.sign_with) + " " + key.error());
        return std::move(key).value();
    }
    auto secret = identity::first_secret(issuer);
    if (!secret)
        throw std::runtime_error(
            "the issuer " + log::printable(issuer.issuer) + " " + secret.error() +
            "; name the private key that belongs to its public one with --sign-with FILE"
        );
    return identity::signing_key::from_secret(
        std::move(secret->bytes), wanted.key_id.empty() ? secret->key_id : wanted.key_id
    );
}

std::string utc_text_of(std::int64_t seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

std::string span_text(std::int64_t ms) {
    const std::int64_t seconds = std::max<std::int64_t>(0, ms) / 1'000;
    if (seconds < 120) return std::to_string(seconds) + " seconds";
    if (seconds < 7'200) return std::to_string(seconds / 60) + " minutes";
    if (seconds < 172'800) return std::to_string(seconds / 3'600) + " hours";
    return std::to_string(seconds / 86'400) + " days";
}

// The claims of a token that was found good.
json claims_of(std::string_view token) {
    const std::size_t first = token.find('.') + 1;
    const auto text = identity::from_base64url(token.substr(first, token.find('.', first) - first));
    auto claims = text ? identity::parse_strict_object(*text) : failure{std::string()};
    return claims ? std::move(*claims) : json::object();
}

std::string good_text(const identity::accepted& one, const json& claims, std::int64_t wall_ms) {
    const access::principal& who = *one.who;
    std::string text = "the token is good\n";
    const auto line = [&](std::string_view name, const std::string& value) {
        text.append("  ").append(name).append(12 - name.size(), ' ').append(value).append("\n");
    };
    line(
        "user", log::printable(access::user_named(who.user)) +
                    (access::user_named(who.user) == who.user ? "" : " (on the wire " + who.user + ")")
    );
    line("issuer", log::printable(claims.value("iss", "")));
    if (!who.token_id.empty()) line("token id", log::printable(who.token_id));
    line("ends", utc_text_of(who.expires_ms / 1'000) + ", in " + span_text(who.expires_ms - wall_ms));
    const json own = claims.value("pulsewire", json::object());
    const json allow = own.value("allow", json::object());
    if (allow.empty()) line("allowed", "nothing beside what the namespaces allow to users");
    for (const auto& [pattern, list] : allow.items()) {
        std::string names;
        for (const json& name : list) names += (names.empty() ? "" : ", ") + name.get<std::string>();
        line("allowed", pattern + ": " + names);
    }
    for (const std::string& channel : who.subscribe) line("subscribed", channel);
    if (!who.info.empty()) line("info", who.info);
    return text;
}

// Why a server with this configuration would refuse a token that is right in itself; empty when it would not.
std::string fault_here(const config& c, const access::principal& who, std::int64_t wall_ms) {
    const std::int64_t lifetime_max_ms = std::int64_t{c.token_lifetime_max_s} * 1'000;
    return identity::fault_of(
        who, identity::revocations(c.data, lifetime_max_ms, wall_ms), lifetime_max_ms, wall_ms
    );
}

}  // namespace

std::string make_token(const config& c, const token_wishes& wanted, std::int64_t wall_ms) {
    const auto all = c.all_issuers();
    const token_issuer& issuer = chosen(all, wanted.issuer);
    const std::int64_t now_s = wall_ms / 1'000;
    json claims = {
        {"iss", issuer.issuer},
        {"aud", issuer.audience},
        {issuer.user_claim, wanted.user},
        {"iat", now_s},
        {"exp", now_s + seconds_of(wanted.expires)}};
    json own = json::object();
    if (!wanted.allow.empty()) own["allow"] = allow_of(wanted.allow);
    if (!wanted.subscribe.empty()) own["subscribe"] = wanted.subscribe;
    if (!wanted.info.empty()) {
        auto info = identity::parse_strict_object(wanted.info);
        if (!info) throw std::runtime_error("--info " + info.error() + ", for example {\"name\":\"Anna\"}");
        own["info"] = std::move(*info);
    }
    if (!own.empty()) claims["pulsewire"] = std::move(own);
    // Flags may have bytes that no JSON can carry.
    if (!identity::parse_strict_object(claims.dump(-1, ' ', false, json::error_handler_t::ignore)) ||
        claims.dump(-1, ' ', false, json::error_handler_t::ignore) !=
            claims.dump(-1, ' ', false, json::error_handler_t::replace))
        throw std::runtime_error("the flags are not in UTF-8");
    const auto token = key_for(issuer, wanted).token(claims);
    if (!token) throw std::runtime_error("OpenSSL cannot sign with this key");

    // Who tries something out must not learn from the server's log that the token was no good.
    const identity::token_verifier verifier(all);
    const identity::outcome answer = verifier.verify(*token, wall_ms);
    const auto* no = std::get_if<identity::refused>(&answer);
    const bool keys_are_elsewhere =
        !issuer.jwks_url.empty() && no != nullptr && no->fault == identity::token_fault::key;
    const auto* good = std::get_if<identity::accepted>(&answer);
    const std::string why = no != nullptr && !keys_are_elsewhere ? no->why
                            : good != nullptr                    ? fault_here(c, *good->who, wall_ms)
                                                                 : "";
    if (!why.empty())
        throw std::runtime_error("a server with this configuration would refuse the token: " + why);
    return *token;
}

token_report report_on_token(const config& c, std::string_view token, std::int64_t wall_ms) {
    identity::token_verifier verifier(c.all_issuers());
    if (!verifier.has_issuers())
        return {false, "no issuer is configured: name the config file of the server with --config\n"};
    std::promise<void> asked;
    auto answered = asked.get_future();
    identity::outcome answer = verifier.verify(token, wall_ms);
    const auto* no = std::get_if<identity::refused>(&answer);
    if (no != nullptr && no->fault == identity::token_fault::key) {
        // The issuer's keys were not asked for yet.
        const auto many = static_cast<std::size_t>(std::count_if(
                              c.issuers.begin(), c.issuers.end(),
                              [](const token_issuer& one) { return !one.jwks_url.empty(); }
                          )) +
                          (c.issuer_of_settings.jwks_url.empty() ? 0 : 1);
        if (many != 0) {
            verifier.start([&asked, left = many]() mutable {
                if (left != 0 && --left == 0) asked.set_value();
            });
            answered.wait();
            answer = verifier.verify(token, wall_ms);
        }
    }
    const auto* good = std::get_if<identity::accepted>(&answer);
    if (const std::string why = good != nullptr ? fault_here(c, *good->who, wall_ms) : ""; !why.empty())
        return {false, "the token is refused: " + why + "\n"};
    if (good != nullptr) return {true, good_text(*good, claims_of(token), wall_ms)};
    if (const auto* bad = std::get_if<identity::refused>(&answer))
        return {false, "the token is refused (" + std::string(name_of(bad->fault)) + "): " + bad->why + "\n"};
    return {false, "the token is refused (key): its issuer has no such key\n"};
}

}  // namespace pulsewire::shell
