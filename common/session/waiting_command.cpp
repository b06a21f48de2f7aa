#include "common/session/waiting_command.hpp"

#include <string_view>

namespace pulsewire::hub {

waiting_command::waiting_command(const command& c) : command_(c) {
    constexpr std::string_view command::*views[] = {
        &command::session, &command::client,   &command::channel, &command::type,   &command::key,
        &command::epoch,   &command::conflate, &command::to,      &command::after,  &command::token,
        &command::user,    &command::code,     &command::message, &command::payload};
    for (const auto view : views) texts_.append(c.*view);
    texts_.append(c.snapshot.id).append(c.snapshot.epoch);
    std::string_view rest = texts_;
    for (const auto view : views) {
        command_.*view = rest.substr(0, (c.*view).size());
        rest.remove_prefix((c.*view).size());
    }
    command_.snapshot.id = rest.substr(0, c.snapshot.id.size());
    command_.snapshot.epoch = rest.substr(c.snapshot.id.size());
}

}  // namespace pulsewire::hub
