#include "server/feed/door.hpp"

#include "common/protocol/command.hpp"
#include "common/protocol/json_scan.hpp"
#include "server/shard/shard.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace pulsewire::shell::feed {

namespace asio = boost::asio;

// On the thread of the shard, but for the construction.
class door::inside : public std::enable_shared_from_this<inside> {
public:
    inside(shard& home, std::string session, std::shared_ptr<asio::io_context> loop, on_answer answered)
        : home_(home), session_(std::move(session)), loop_(std::move(loop)), answered_(std::move(answered)) {}

    shard& home() const { return home_; }

    void open() {
        id_ = home_.programs().add([this](const hub::message_ptr& answer) {
            const bool refused = answer->kind == hub::message_kind::error;
            tell(
                answer->id, refused ? answer->code : error_code::none,
                refused ? unescaped(answer->text()) : std::string()
            );
        });
        home_.tell_hub([&](hub::hub& h, hub::instant now) { h.open(id_, hub::face::api, {}, session_, now); }
        );
    }

    void publish(ticket number, const publication& what) {
        if (!home_.mail_has_room())
            return tell(number, error_code::overloaded, "the server does not keep up");
        command c;
        c.op = command_op::publish;
        c.id = number;
        c.channel = what.channel;
        c.type = what.type;
        c.key = what.key;
        c.payload = what.payload;
        home_.tell_hub([&](hub::hub& h, hub::instant now) { h.execute(id_, c, now); });
    }

    void close() {
        home_.programs().remove(id_);
        home_.tell_hub([&](hub::hub& h, hub::instant now) { h.closed(id_, now); });
    }

private:
    void tell(ticket number, error_code refused, std::string text) {
        asio::post(*loop_, [self = shared_from_this(), number, refused, text = std::move(text)] {
            self->answered_(number, refused, text);
        });
    }

    shard& home_;
    const std::string session_;
    const std::shared_ptr<asio::io_context> loop_;
    const on_answer answered_;  // called on the loop
    std::uint64_t id_ = 0;
};

door::door(
    node& home, hub::shard_index where, std::string session, std::shared_ptr<asio::io_context> loop,
    on_answer answered
)
    : inside_(
          std::make_shared<inside>(home.at(where), std::move(session), std::move(loop), std::move(answered))
      ) {
    asio::post(inside_->home().loop(), [in = inside_] { in->open(); });
}

door::~door() {
    asio::post(inside_->home().loop(), [in = inside_] { in->close(); });
}

void door::publish(ticket number, publication what) {
    asio::post(inside_->home().loop(), [in = inside_, number, what = std::move(what)] {
        in->publish(number, what);
    });
}

}  // namespace pulsewire::shell::feed
