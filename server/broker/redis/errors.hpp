#pragma once

// Errors of a Redis as sentences for the operator.

#include <string>
#include <string_view>

namespace pulsewire::shell::redis {

// Whether an error, as the server wrote it, is about one log alone (its key has another type, a right is
// lacking). Any other says that the server is not the one to talk to, now or for ever.
bool concerns_one_log(std::string_view error);

// `server` names it, as connection::name() does.
std::string sentence_of_error(const std::string& server, std::string_view error);
std::string sentence_of_refused_login(
    const std::string& server, const std::string& user, std::string_view error
);

}  // namespace pulsewire::shell::redis
