#include "server/broker/redis/errors.hpp"

#include "server/log.hpp"

namespace pulsewire::shell::redis {
namespace {

struct known_error {
    std::string_view code;
    std::string_view meaning;
};
constexpr known_error known[] = {
    {"READONLY", " is a replica (now): its master is elsewhere, after a failover perhaps"},
    {"UNBLOCKED", " has become a replica: its master is elsewhere, after a failover perhaps"},
    {"LOADING", " is starting and still reads its data"},
    {"MASTERDOWN", " is a replica without its master"},
    {"MOVED", " has given the log to another server of the cluster"},
    {"ASK", " is giving the log to another server of the cluster"},
    {"TRYAGAIN", " is giving the log to another server of the cluster"},
    {"CLUSTERDOWN", " belongs to a cluster that has no master for a part of its data"},
    {"NOREPLICAS", " takes no writes: fewer replicas are in step than its min-replicas-to-write wants"},
    {"NOAUTH", " wants a password: write it into the address, scheme://user:password@host"},
    {"OOM", " has no memory left (maxmemory)"},
    {"MISCONF", " takes no writes, because it cannot store them on its disk"},
    {"BUSY", " is busy with a script"},
};

std::string_view code_of(std::string_view error) {
    return error.substr(0, error.find(' '));
}

// What the server says is repeated as it is, but for what a log cannot show.
std::string with_words(std::string sentence, std::string_view error) {
    return sentence.append(" (").append(log::printable(error)).append(")");
}

}  // namespace

bool concerns_one_log(std::string_view error) {
    const auto code = code_of(error);
    return code == "WRONGTYPE" || code == "NOPERM" || code == "ERR";
}

std::string sentence_of_error(const std::string& server, std::string_view error) {
    const auto code = code_of(error);
    for (const auto& each : known)
        if (each.code == code) return with_words(std::string(server).append(each.meaning), error);
    return with_words(std::string(server).append(" has refused a command"), error);
}

std::string sentence_of_refused_login(
    const std::string& server, const std::string& user, std::string_view error
) {
    const auto code = code_of(error);
    const std::string who = user.empty() ? "" : " of the user " + log::printable(user);
    if (code == "WRONGPASS")
        return server + " refuses the password" + who + ": are both right in the address?";
    return with_words(server + " refuses the login" + who, error);
}

}  // namespace pulsewire::shell::redis
