// The config file and the environment. What is wrong is told by a std::runtime_error alone; what is right can
// be applied again without a change, and written as text sets the same. The input is a file, and after a zero
// byte the value of a variable.

#include "fuzz/fuzz.hpp"
#include "server/config/config_file.hpp"
#include "server/config/settings.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace pulsewire::fuzz {
namespace {

bool applies(std::string_view json, config& c) {
    try {
        shell::apply_config(json, c);
        return true;
    } catch (const std::runtime_error& e) {
        require(*e.what() != '\0', "what is wrong is said");
        return false;
    }
}

std::vector<std::string> texts_of(config& c) {
    std::vector<std::string> texts;
    for (const shell::setting& s : shell::settings_of(c)) texts.push_back(shell::text_of(s));
    for (auto& [name, options] : c.namespaces) {
        texts.push_back(name);
        for (const shell::setting& s : shell::settings_of(options)) texts.push_back(shell::text_of(s));
    }
    return texts;
}

// Each setting from the text that it was written as. A list cannot hold what separates its elements there.
void set_again(config& c) {
    const auto before = texts_of(c);
    const auto set = [](const shell::setting& s) {
        if (std::holds_alternative<std::vector<std::string>*>(s.value)) return;
        require(shell::set_from_text(s, shell::text_of(s)).empty(), "a setting takes its own text");
    };
    for (const shell::setting& s : shell::settings_of(c)) set(s);
    for (auto& [name, options] : c.namespaces)
        for (const shell::setting& s : shell::settings_of(options)) set(s);
    require(texts_of(c) == before, "its own text changes nothing");
}

// Without the faults that are the machine's affair: whether a folder and a file are there.
void judge(config& c) {
    c.web_root.clear();
    c.api_key_file.clear();
    shell::fault_of(c);
}

void set_all(std::string_view text) {
    config c;
    for (const shell::setting& s : shell::settings_of(c)) {
        const std::string before = shell::text_of(s);
        if (!shell::set_from_text(s, text).empty())
            require(shell::text_of(s) == before, "a wrong text sets nothing");
    }
    for (const shell::setting& s : shell::settings_of(c.default_namespace)) shell::set_from_text(s, text);
    judge(c);
}

}  // namespace

void test_one_input(std::string_view input) {
    const std::string_view file = take_until(input, '\0');
    set_all(input);
    config c;
    if (!applies(file, c)) return;
    const auto once = texts_of(c);
    require(applies(file, c) && texts_of(c) == once, "a file applied again changes nothing");
    set_again(c);
    judge(c);
}

}  // namespace pulsewire::fuzz
