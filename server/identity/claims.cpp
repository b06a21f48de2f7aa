#include "server/identity/claims.hpp"

#include "common/access/pattern.hpp"
#include "common/protocol/names.hpp"
#include "server/identity/strict_json.hpp"
#include "server/log.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

namespace pulsewire::identity {
namespace {

using nlohmann::json;
using fault_text = failure<std::string>;

std::string in_quotes(std::string_view text) {
    return "\"" + log::printable(text) + "\"";
}

claim_fault fault(token_fault f, std::string why) {
    return {f, std::move(why)};
}

// The milliseconds of a NumericDate (RFC 7519 section 2), which may have decimals; nothing when it is no
// number, or one beyond what a clock shows.
std::optional<std::int64_t> time_of(const json& claim) {
    constexpr double seconds_max = 1e11;  // the year 5138
    if (!claim.is_number()) return std::nullopt;
    const auto seconds = claim.get<double>();
    if (!std::isfinite(seconds) || seconds < 0 || seconds > seconds_max) return std::nullopt;
    return static_cast<std::int64_t>(std::floor(seconds * 1000));
}

struct times {
    std::int64_t expires_ms;
    std::int64_t issued_ms = 0;
    std::int64_t from_ms = 0;
};

result<times, claim_fault> read_times(const json& claims) {
    times read{};
    const auto expires = claims.find("exp");
    if (expires == claims.end())
        return failure{fault(token_fault::claim, "the token has no \"exp\": it would be good for ever")};
    for (const auto& [name, into] :
         {std::pair{"exp", &read.expires_ms}, {"iat", &read.issued_ms}, {"nbf", &read.from_ms}}) {
        const auto claim = claims.find(name);
        if (claim == claims.end()) continue;
        const auto ms = time_of(*claim);
        if (!ms)
            return failure{fault(
                token_fault::claim,
                "the claim " + in_quotes(name) + " is no number of seconds since 1970 (without quotes)"
            )};
        *into = *ms;
    }
    return read;
}

std::string fault_of_audience(const json& claims, const std::string& wanted) {
    const auto audience = claims.find("aud");
    if (audience == claims.end()) return "the token has no \"aud\"; it must be " + in_quotes(wanted);
    if (audience->is_string())
        return *audience == wanted
                   ? ""
                   : "the token is for the audience " + in_quotes(audience->get<std::string>()) +
                         ", and this server is " + in_quotes(wanted);
    const bool strings =
        audience->is_array() &&
        std::all_of(audience->begin(), audience->end(), [](const json& one) { return one.is_string(); });
    if (!strings) return "the claim \"aud\" is neither a string nor a list of strings";
    if (std::find(audience->begin(), audience->end(), wanted) == audience->end())
        return "the token is for other audiences, and this server is " + in_quotes(wanted);
    return {};
}

// {"chat:**": ["subscribe"]}
std::string read_allow(const json& value, access::principal& into) {
    auto grants = access::grants::parse(value.dump());
    if (!grants) return "\"allow\": " + log::printable(grants.error());
    into.allowed = std::move(*grants);
    return {};
}

std::string read_info(const json& value, access::principal& into) {
    if (!value.is_object()) return "\"info\" is no object";
    into.info = value.dump(-1, ' ', true);
    if (into.info.size() > info_bytes_max)
        return "\"info\" has " + std::to_string(into.info.size()) + " bytes, and may have " +
               std::to_string(info_bytes_max);
    return {};
}

// The channel's name with each segment "{user}" replaced; empty when the name is none.
std::string channel_of(std::string_view name, const std::string& user) {
    std::string channel;
    while (true) {
        const bool last = name.find(':') == std::string_view::npos;
        const std::string_view segment = access::take_segment(name);
        channel += segment == access::own_name ? std::string_view(user) : segment;
        if (last) break;
        channel += ':';
    }
    return is_channel(channel) ? channel : std::string();
}

std::string read_subscribe(const json& value, access::principal& into) {
    if (!value.is_array() || value.size() > subscribe_max)
        return "\"subscribe\" is no list of at most " + std::to_string(subscribe_max) + " channels";
    for (const json& one : value) {
        std::string channel =
            one.is_string() ? channel_of(one.get_ref<const std::string&>(), into.user) : std::string();
        if (channel.empty())
            return "\"subscribe\" has " + in_quotes(one.dump()) +
                   ", which is not the name of one channel (with {user} as a segment for the user's own "
                   "name)";
        into.subscribe.push_back(std::move(channel));
    }
    return {};
}

// The one claim that is ours. Empty when there is nothing wrong with it.
std::string read_own_claim(const json& claims, access::principal& into) {
    const auto own = claims.find("pulsewire");
    if (own == claims.end()) return {};
    const std::string place = "the claim \"pulsewire\": ";
    if (!own->is_object()) return place + "must be an object";
    for (const auto& [name, value] : own->items()) {
        std::string wrong = name == "allow"  ? read_allow(value, into)
                            : name == "info" ? read_info(value, into)
                            : name == "subscribe"
                                ? read_subscribe(value, into)
                                : in_quotes(name) + " is not known; there are allow, info and subscribe";
        if (!wrong.empty()) return place + std::move(wrong);
    }
    return {};
}

}  // namespace

result<checked_claims, claim_fault> check_claims(
    const json& claims, const token_issuer& issuer, std::int64_t wall_ms
) {
    const std::string* iss = string_member(claims, "iss");
    if (iss == nullptr || *iss != issuer.issuer)
        return failure{
            fault(token_fault::issuer, "the token is not of the issuer " + in_quotes(issuer.issuer))};
    if (std::string wrong = fault_of_audience(claims, issuer.audience); !wrong.empty())
        return failure{fault(token_fault::audience, std::move(wrong))};
    const auto when = read_times(claims);
    if (!when) return failure{when.error()};
    const std::int64_t until_ms = when->expires_ms + token_leeway_ms;
    const std::int64_t from_ms = std::max(when->from_ms, when->issued_ms) - token_leeway_ms;
    if (wall_ms >= until_ms)
        return failure{fault(
            token_fault::expired,
            "the token has expired " + std::to_string((wall_ms - when->expires_ms) / 1000) + " seconds ago"
        )};
    if (wall_ms < from_ms)
        return failure{fault(
            token_fault::not_yet_valid,
            "the token begins in " + std::to_string((from_ms + token_leeway_ms - wall_ms + 999) / 1000) +
                " seconds: do the clocks of its issuer and of this server differ?"
        )};

    access::principal who;
    const std::string* name = string_member(claims, issuer.user_claim.c_str());
    if (name == nullptr || name->empty())
        return failure{fault(
            token_fault::user, "the claim " + in_quotes(issuer.user_claim) + ", which names the user, is " +
                                   (claims.contains(issuer.user_claim) ? "no text, or empty" : "missing")
        )};
    who.user = access::wire_name_of(*name);
    if (who.user.size() > user_bytes_max)
        return failure{fault(
            token_fault::user,
            "the user's name takes " + std::to_string(who.user.size()) +
                " bytes (3 for each that is no letter, digit, '_', '-' or '.'), and may take " +
                std::to_string(user_bytes_max)
        )};
    if (const auto id = claims.find("jti"); id != claims.end()) {
        if (!id->is_string() || id->get_ref<const std::string&>().size() > token_id_bytes_max)
            return failure{fault(
                token_fault::claim,
                "the claim \"jti\" is no text of at most " + std::to_string(token_id_bytes_max) + " bytes"
            )};
        who.token_id = id->get<std::string>();
    }
    who.issued_ms = when->issued_ms;
    who.expires_ms = when->expires_ms;
    if (std::string wrong = read_own_claim(claims, who); !wrong.empty())
        return failure{fault(token_fault::claim, std::move(wrong))};
    return checked_claims{{std::make_shared<const access::principal>(std::move(who))}, from_ms, until_ms};
}

}  // namespace pulsewire::identity
