#pragma once

// The names of all settings: one table serves the config file, the environment and the documentation.

#include "server/config.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pulsewire::shell {

// A member of an enumeration of one byte, whose values count up from 0 in the order of the names.
struct one_of_names {
    std::uint8_t* value;
    std::span<const std::string_view> names;

    // Returns false when `name` is none of the names.
    bool set(std::string_view name) const;
    // "must be auto, memory or disk".
    std::string rule() const;
};

// One setting of a config, by reference. In the file and in the environment
// (PULSEWIRE_<NAME>) it has the same name.
struct setting {
    std::string_view name;
    std::variant<
        std::uint16_t*, std::uint32_t*, std::uint64_t*, std::string*, bool*, std::vector<std::string>*,
        one_of_names>
        value;
};

// All settings but namespaces. The references live as long as `c`.
std::vector<setting> settings_of(config& c);

// The same for the options of one namespace, for one of config::issuers, config::consume and config::forward.
std::vector<setting> settings_of(namespace_options& options);
std::vector<setting> settings_of(token_issuer& issuer);
std::vector<setting> settings_of(consume_settings& feed);
std::vector<setting> settings_of(forward_settings& forward);

// Whether the value must not be shown.
bool is_secret(const setting& s);

// "4096", "true", "a, b": for the start-up lines.
std::string text_of(const setting& s);

// Sets a setting from the text of an environment variable; lists are separated by commas. Returns
// the fault of the text, or nothing.
std::string set_from_text(const setting& s, std::string_view text);

// Puts config::issuer_of_settings into config::issuers, where the server looks.
void gather_issuers(config& c);

// Where config::streams names a namespace that has no options, it gets those of the default one, and a state.
void add_stream_namespace(config& c);

// The fault of the config as a whole, as a sentence for the operator; empty
// when the server can start with it.
std::string fault_of(const config& c);

}  // namespace pulsewire::shell
