#include "server/config/message_types.hpp"

#include "common/protocol/names.hpp"
#include "common/schema/typescript.hpp"
#include "server/log.hpp"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

namespace pulsewire::shell {
namespace {

namespace fs = std::filesystem;

// The text of the file; nothing where it cannot be read, and then errno says why.
std::optional<std::string> text_of_file(const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) return errno = EISDIR, std::nullopt;
    // To open a pipe without a writer would wait for ever.
    if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) return errno = EINVAL, std::nullopt;
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    // A file may be endless, and no schema is longer than this.
    std::string text(schema::schema_bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

result<schema::types::entry, std::string> read_file(const fs::path& path) {
    const std::string name = log::printable(path.string());
    errno = 0;
    auto text = text_of_file(path);
    if (!text)
        return failure{
            "the schema file " + name + " cannot be read: " + std::generic_category().message(errno) +
            "; a relative path counts from the folder of the config file"};
    auto rules = schema::checker::compile(*text);
    if (!rules) return failure{"the schema file " + name + ", " + rules.error().message()};
    return schema::types::entry{std::move(*rules), std::move(*text), fs::absolute(path).string()};
}

result<schema::types::entry, std::string> read_one(const nlohmann::json& from, const std::string& folder) {
    if (from.is_object()) {
        std::string text = from.dump();
        auto rules = schema::checker::compile(text);
        if (!rules) return failure{"the schema, " + rules.error().message()};
        return schema::types::entry{std::move(*rules), std::move(text), {}};
    }
    if (!from.is_string())
        return failure{std::string("must be the name of a schema file, a schema, or \"binary\"")};
    if (from == "binary") return schema::types::bytes();
    return read_file(fs::path(folder) / from.get<std::string>());
}

void add_types_of(typescript_writer& to, const namespace_options& options) {
    if (options.types == nullptr) return;
    for (const auto& [type, one] : options.types->all()) {
        if (one.binary) {
            to.bytes(type);
            continue;
        }
        const auto tree = schema::read_value(one.text, schema::schema_depth_max);
        const schema::typescript made = schema::typescript_of(type, *tree);
        to.message(type, made.type, made.declarations);
    }
}

}  // namespace

void add_types(typescript_writer& to, const config& c) {
    add_types_of(to, c.default_namespace);
    for (const auto& [name, options] : c.namespaces) add_types_of(to, options);
}

result<schema::types, std::string> read_types_again(const schema::types& from) {
    schema::types types;
    for (const auto& [name, one] : from.all()) {
        if (one.file.empty()) {
            types.add(name, one);
            continue;
        }
        auto read = read_file(one.file);
        if (!read) return failure{std::move(read.error())};
        types.add(name, std::move(*read));
    }
    return types;
}

result<std::shared_ptr<const schema::types>, types_fault> read_types(
    const nlohmann::json& setting, const std::string& folder
) {
    if (!setting.is_object())
        return failure{
            types_fault{"", "must be an object with a schema, or the name of its file, for each type"}};
    auto types = std::make_shared<schema::types>();
    for (const auto& [name, from] : setting.items()) {
        if (!is_type(name)) return failure{types_fault{"/" + name, "is not the name of a message type"}};
        auto one = read_one(from, folder);
        if (!one) return failure{types_fault{"/" + name, std::move(one.error())}};
        types->add(name, std::move(*one));
    }
    if (types->all().empty()) types = nullptr;
    return std::shared_ptr<const schema::types>(std::move(types));
}

}  // namespace pulsewire::shell
