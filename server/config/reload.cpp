#include "server/config/reload.hpp"

#include "common/exchange/config.hpp"
#include "server/config/print_config.hpp"
#include "server/config/settings.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace pulsewire::shell {
namespace {

// Every other setting is read once, because it decides about what exists since the start: sockets, threads,
// tables, the limits of connections that are open.
constexpr std::string_view changeable[] = {
    "api_key", "api_key_file", "allowed_origins", "allow_credentials", "allowed_hosts", "log_level",
    // Limits that are not told to clients and belong to no open connection.
    "connections_max", "connections_per_address_max", "connects_per_address_per_second",
    "requests_per_address_per_second", "waiting_bytes_total_max", "mail_bytes_total_max", "shed_loop_lag_ms",
    "drain_delay_ms", "shutdown_timeout_ms"};

bool can_change(std::string_view name) {
    return std::find(std::begin(changeable), std::end(changeable), name) != std::end(changeable);
}

void assign(const setting& to, const setting& from) {
    std::visit(
        [&](auto into) {
            const auto value = std::get<decltype(into)>(from.value);
            if constexpr (requires { *into.value = *value.value; })
                *into.value = *value.value;
            else
                *into = *value;
        },
        to.value
    );
}

// The members of a config that are no single settings, as text to be compared and never shown: it has
// secrets.
std::string text_of_structures(const config& c) {
    std::string text = print_config(c, {});
    for (const token_issuer& issuer : c.issuers) text += issuer.secret + '\n';
    for (const consume_settings& feed : c.consume) text += feed.broker + '\n';
    for (const forward_settings& one : c.forward) text += one.broker + '\n';
    return text;
}

// The names of those that are others now.
std::vector<std::string> changed_structures(const config& read, const config& now) {
    std::vector<std::string> changed;
    const auto compare = [&](std::string name, auto take) {
        config before, after;
        take(before, read);
        take(after, now);
        if (text_of_structures(before) != text_of_structures(after)) changed.push_back(std::move(name));
    };
    compare("issuers", [](config& to, const config& from) { to.issuers = from.issuers; });
    compare("consume", [](config& to, const config& from) { to.consume = from.consume; });
    compare("forward", [](config& to, const config& from) { to.forward = from.forward; });
    return changed;
}

// What the server keeps of the namespace and what it lets clients do there, as text to be compared.
std::string text_of(const namespace_options& options) {
    config only;
    only.default_namespace = options;
    return print_config(only, {});
}

// Whether the running server can go from the one to the other. What nodes share is in their log since the
// first of them began.
bool can_become(const namespace_options& before, const namespace_options& after, bool has_broker) {
    namespace_options reached = before;
    hub::take_changeable(reached, after);
    const bool is_shared =
        has_broker && (before.keeps == durability::broker || before.keeps == durability::automatic);
    if (is_shared) {
        reached.history_count_max = before.history_count_max;
        reached.history_bytes_max = before.history_bytes_max;
        reached.history_age_ms = before.history_age_ms;
    }
    return text_of(reached) == text_of(after);
}

// The namespaces that are others now, each as "namespaces/<name>", become so where they can.
void take_namespaces(reload_outcome& outcome, const config& read, const config& now) {
    config& into = outcome.settings;
    const auto options_in = [](const config& c, const std::string& name) -> const namespace_options& {
        const auto found = c.namespaces.find(name);
        return found == c.namespaces.end() ? c.default_namespace : found->second;
    };
    const auto becomes = [&](const namespace_options& before, const namespace_options& after,
                             std::string name) {
        const bool can = can_become(before, after, !now.broker.empty());
        (can ? outcome.changed : outcome.need_restart).push_back(std::move(name));
        outcome.namespaces_changed = outcome.namespaces_changed || can;
        return can;
    };
    const namespace_options default_before = into.default_namespace;
    if (text_of(read.default_namespace) != text_of(now.default_namespace) &&
        becomes(read.default_namespace, now.default_namespace, "default_namespace"))
        hub::take_changeable(into.default_namespace, now.default_namespace);
    std::set<std::string> names;
    for (const config* c : {&read, &now})
        for (const auto& [name, options] : c->namespaces) names.insert(name);
    for (const std::string& name : names) {
        const namespace_options& before = options_in(read, name);
        const namespace_options& after = options_in(now, name);
        const bool stays = read.namespaces.contains(name) == now.namespaces.contains(name);
        if (stays && text_of(before) == text_of(after)) continue;
        if (!becomes(before, after, std::string("namespaces/").append(name))) continue;
        if (now.namespaces.contains(name))
            hub::take_changeable(into.namespaces.try_emplace(name, default_before).first->second, after);
        else
            into.namespaces.erase(name);
    }
}

// Keys that the program added behind those that were read stay.
void take_keys(reload_outcome& outcome, const config& read, const config& now) {
    config& into = outcome.settings;
    if (into.api_keys.size() < read.api_keys.size()) return;
    const auto same = [](const api_key_settings& a, const api_key_settings& b) {
        return a.name == b.name && a.key == b.key;
    };
    if (!std::equal(
            read.api_keys.begin(), read.api_keys.end(), now.api_keys.begin(), now.api_keys.end(), same
        ))
        outcome.changed.emplace_back("api_keys");
    std::vector<api_key_settings> keys = now.api_keys;
    const auto own = into.api_keys.begin() + static_cast<std::ptrdiff_t>(read.api_keys.size());
    keys.insert(keys.end(), own, into.api_keys.end());
    into.api_keys = std::move(keys);
}

}  // namespace

reload_outcome reload(const config& running, const config& read, const config& now) {
    reload_outcome outcome{running, {}, false, {}};
    config before = read, fresh = now;
    const auto was = settings_of(before), is = settings_of(fresh), into = settings_of(outcome.settings);
    for (std::size_t i = 0; i < is.size(); ++i) {
        if (text_of(was[i]) == text_of(is[i])) continue;
        const bool changes = can_change(is[i].name);
        (changes ? outcome.changed : outcome.need_restart).emplace_back(is[i].name);
        if (changes) assign(into[i], is[i]);
    }
    take_keys(outcome, read, now);
    take_namespaces(outcome, read, now);
    std::ranges::move(changed_structures(read, now), std::back_inserter(outcome.need_restart));
    if (const std::string fault = fault_of(outcome.settings); !fault.empty()) throw std::runtime_error(fault);
    return outcome;
}

}  // namespace pulsewire::shell
