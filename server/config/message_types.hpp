#pragma once

// The setting "types" of a namespace: the schema of each message type, as the name of a file or in place.

#include "common/base/result.hpp"
#include "common/message/typescript.hpp"
#include "common/schema/types.hpp"
#include "server/config.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>

namespace pulsewire::shell {

// A fault in "types" itself or in a schema.
struct types_fault {
    std::string pointer;  // into the setting: "/chat.message"
    std::string what;     // names the file where there is one, the place in the schema, and the remedy
};

// Reads {"chat.message": "schemas/chat.message.json", "chat.typing": {"type": "null"}}. Files are found from
// `folder`, that of the config file; empty: from where the server was started. Nothing where the object is
// empty.
result<std::shared_ptr<const schema::types>, types_fault> read_types(
    const nlohmann::json& setting, const std::string& folder
);

// The same types with the schemas that their files have now. An error is a sentence for the operator.
result<schema::types, std::string> read_types_again(const schema::types& from);

// Adds the types that have schemas in any namespace.
void add_types(typescript_writer& to, const config& c);

}  // namespace pulsewire::shell
