#include "server/broker/rabbitmq/connection.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <utility>

namespace pulsewire::shell::rabbitmq {
namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds watch_interval{250};
constexpr std::chrono::milliseconds alive_interval{1'000};
// Asked of the server: it says something each half of it, and misses us after twice of it.
constexpr std::uint16_t heartbeat_s = 2;
// The largest frame that is asked for, as the server's default is; and the smallest that AMQP allows.
constexpr std::size_t frame_bytes_wanted = std::size_t{128} << 10;
constexpr std::size_t frame_bytes_min = 4'096;
// A burst's memory is given back when it was written.
constexpr std::size_t kept_bytes_max = std::size_t{1} << 20;

// The library's name for what is no frame.
constexpr std::uint8_t protocol_header_frame = 'A';
constexpr std::string_view protocol_header{"AMQP\0\0\x09\x01", 8};

}  // namespace

std::string said(const amqp_bytes_t& text) {
    constexpr std::size_t said_bytes_max = 300;
    std::string line(text_of(text).substr(0, said_bytes_max));
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c < ' ' || c > '~'; }, '?'
    );
    return line;
}

std::shared_ptr<connection> connection::open(const dialer& from, std::size_t first_host, listener heard) {
    auto made = std::make_shared<connection>(from, first_host, std::move(heard));
    made->watch();
    made->dial();
    return made;
}

connection::connection(const dialer& from, std::size_t first_host, listener heard)
    : loop_(from.loop),
      where_(from.broker),
      host_(first_host % from.broker.hosts.size()),
      heard_(std::move(heard)),
      resolver_(from.loop),
      socket_(from.loop),
      timer_(from.loop),
      progress_(clock::now()) {
    if (from.tls != nullptr) tls_.emplace(socket_, *from.tls);
}

const endpoint& connection::to() const {
    return where_.hosts[host_];
}

std::string connection::name() const {
    return "the RabbitMQ at " + shell::text_of(to());
}

// --- beginning ---

void connection::dial() {
    resolver_.async_resolve(
        to().host, std::to_string(to().port),
        [self = shared_from_this()](const error_code& error, const tcp::resolver::results_type& found) {
            if (!self->ended_) self->on_resolved(error, found);
        }
    );
}

void connection::dial_next(std::string reason) {
    if (++tried_ == where_.hosts.size()) return fail(std::move(reason));
    host_ = (host_ + 1) % where_.hosts.size();
    error_code ignored;
    socket_.close(ignored);
    dial();
}

void connection::on_resolved(const error_code& error, const tcp::resolver::results_type& found) {
    if (error) {
        return dial_next(
            "the broker's host " + to().host + " has no address (" + error.message() + "): is its name right?"
        );
    }
    missing_ = "it did not accept a connection";
    asio::async_connect(
        socket_, found,
        [self = shared_from_this()](const error_code& failed, const tcp::endpoint&) {
            if (!self->ended_) self->on_connected(failed);
        }
    );
}

void connection::on_connected(const error_code& error) {
    if (error) {
        return dial_next(
            name() + " cannot be reached: " + error.message() +
            ". Does it run there, and may this machine connect?"
        );
    }
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    progress_ = clock::now();
    if (!tls_) return greet();
    missing_ = "it did not shake hands by TLS (is that its port for TLS?)";
    tls_->set_verify_mode(asio::ssl::verify_peer);
    tls_->set_verify_callback(asio::ssl::host_name_verification(to().host));
    SSL_set_tlsext_host_name(tls_->native_handle(), to().host.c_str());
    tls_->async_handshake(
        asio::ssl::stream_base::client,
        [self = shared_from_this()](const error_code& failed) {
            if (!self->ended_) self->on_encrypted(failed);
        }
    );
}

void connection::on_encrypted(const error_code& error) {
    if (error) {
        return fail(
            "no TLS with " + name() + ": " + error.message() +
            ". Its certificate must name that host and be signed by an authority that is known here, and its "
            "port must be the one for TLS"
        );
    }
    greet();
}

void connection::greet() {
    is_connected_ = true;
    missing_ = "it did not answer as one does";
    waiting_.append(protocol_header);
    schedule_write();
    read();
}

// The server says that memory or a disk is low, that a login is refused and that a consumer has ended only to
// those who ask for it.
void connection::log_in(const amqp_connection_start_t& start) {
    if (text_of(start.mechanisms).find("PLAIN") == std::string_view::npos) {
        return fail(
            name() + " lets nobody log in by name and password: PLAIN must be one of its auth_mechanisms"
        );
    }
    missing_ = "it did not answer the login";
    amqp_table_entry_t capabilities[] = {
        flag_entry("authentication_failure_close", true), flag_entry("connection.blocked", true),
        flag_entry("consumer_cancel_notify", true), flag_entry("publisher_confirms", true),
        flag_entry("basic.nack", true)};
    amqp_table_entry_t properties[] = {
        text_entry("product", "Pulsewire"), text_entry("connection_name", "pulsewire"), {}};
    properties[2].key = amqp_cstring_bytes("capabilities");
    properties[2].value.kind = AMQP_FIELD_KIND_TABLE;
    properties[2].value.value.table = table_of(capabilities);
    std::string response;
    response.append(1, '\0').append(where_.user).append(1, '\0').append(where_.password);
    amqp_connection_start_ok_t answer{};
    answer.client_properties = table_of(properties);
    answer.mechanism = amqp_cstring_bytes("PLAIN");
    answer.response = bytes_of(response);
    answer.locale = amqp_cstring_bytes("en_US");
    send(0, AMQP_CONNECTION_START_OK_METHOD, answer);
}

void connection::tune(const amqp_connection_tune_t& tune) {
    has_logged_in_ = true;
    missing_ = "it did not open the virtual host";
    // 0 is without a bound.
    channel_max_ = tune.channel_max == 0 ? UINT16_MAX : tune.channel_max;
    const std::size_t frame_max = tune.frame_max == 0 ? frame_bytes_wanted : tune.frame_max;
    frame_bytes_max_ = std::clamp(frame_max, frame_bytes_min, frame_bytes_wanted);
    frames_.set_frame_bytes_max(frame_bytes_max_);
    amqp_connection_tune_ok_t answer{};
    answer.channel_max = channel_max_;
    answer.frame_max = static_cast<std::uint32_t>(frame_bytes_max_);
    answer.heartbeat = heartbeat_s;
    send(0, AMQP_CONNECTION_TUNE_OK_METHOD, answer);
    amqp_connection_open_t open{};
    open.virtual_host = bytes_of(where_.vhost);
    send(0, AMQP_CONNECTION_OPEN_METHOD, open);
}

// --- talking ---

void connection::schedule_write() {
    if (std::exchange(write_scheduled_, true)) return;
    asio::post(loop_, [self = shared_from_this()] {
        self->write_scheduled_ = false;
        if (!self->ended_) self->write();
    });
}

void connection::write() {
    if (!writing_.empty() || waiting_.empty()) return;
    std::swap(writing_, waiting_);
    const auto written = [self = shared_from_this()](const error_code& error, std::size_t) {
        if (self->ended_) return;
        if (error) return self->fail(self->name() + " takes nothing more: " + error.message());
        self->writing_.clear();
        if (self->writing_.capacity() > kept_bytes_max) self->writing_ = {};
        self->write();
    };
    if (tls_) {
        asio::async_write(*tls_, asio::buffer(writing_), written);
    } else {
        asio::async_write(socket_, asio::buffer(writing_), written);
    }
}

void connection::read() {
    const auto done = [self = shared_from_this()](const error_code& error, std::size_t bytes) {
        if (!self->ended_) self->on_read(error, bytes);
    };
    if (tls_) {
        tls_->async_read_some(asio::buffer(buffer_), done);
    } else {
        socket_.async_read_some(asio::buffer(buffer_), done);
    }
}

void connection::on_read(const error_code& error, std::size_t bytes) {
    if (error) {
        const bool may_want_tls = !has_heard_ && !tls_;
        return fail(
            name() + " has ended the connection (" + error.message() +
            (may_want_tls ? "): does it expect TLS, with rabbitmqs:// as the address?" : ")")
        );
    }
    progress_ = clock::now();
    std::span<char> rest = std::span(buffer_).first(bytes);
    amqp_frame_t frame{};
    while (!rest.empty()) {
        if (!frames_.next(rest, frame)) {
            return fail(
                "what answers at " + shell::text_of(to()) + " is no RabbitMQ" +
                (tls_ ? "" : ", or expects TLS: then its address begins with rabbitmqs://")
            );
        }
        if (frame.frame_type != 0) on_frame(frame);
        if (ended_) return;
    }
    if (heard_.on_pause) heard_.on_pause();
    if (!ended_) read();
}

void connection::on_frame(const amqp_frame_t& frame) {
    has_heard_ = true;
    if (frame.channel != 0) return on_channel_frame(frame);
    if (frame.frame_type == AMQP_FRAME_METHOD) return on_own_method(frame.payload.method);
    // The server says which version of the protocol it speaks, and that it is not this one.
    if (frame.frame_type == protocol_header_frame)
        fail(name() + " does not speak AMQP 0-9-1, which is what its streams are used by");
}

void connection::on_own_method(const amqp_method_t& method) {
    switch (method.id) {
        case AMQP_CONNECTION_START_METHOD:
            return log_in(as<amqp_connection_start_t>(method));
        case AMQP_CONNECTION_TUNE_METHOD:
            return tune(as<amqp_connection_tune_t>(method));
        case AMQP_CONNECTION_OPEN_OK_METHOD:
            is_ready_ = true;
            return heard_.on_ready();
        case AMQP_CONNECTION_BLOCKED_METHOD:
            return fail(
                name() + " takes no records until its alarm is over: " +
                said(as<amqp_connection_blocked_t>(method).reason)
            );
        case AMQP_CONNECTION_CLOSE_METHOD: {
            const std::string words = " (" + said(as<amqp_connection_close_t>(method).reply_text) + ")";
            if (!has_logged_in_)
                return fail(
                    name() + " refuses the login: are user and password right in the address?" + words
                );
            if (!is_ready_)
                return fail(name() + " does not open the virtual host that the address names" + words);
            return fail(name() + " has closed the connection" + words);
        }
        default:
            return;
    }
}

// --- channels ---

void connection::open_channel(amqp_channel_t channel) {
    channels_[channel] = channel_state::open;
    send(channel, AMQP_CHANNEL_OPEN_METHOD, amqp_channel_open_t{});
}

void connection::close_channel(amqp_channel_t channel) {
    const auto found = channels_.find(channel);
    if (ended_ || found == channels_.end() || found->second == channel_state::closing) return;
    found->second = channel_state::closing;
    amqp_channel_close_t close{};
    close.reply_code = AMQP_REPLY_SUCCESS;
    send(channel, AMQP_CHANNEL_CLOSE_METHOD, close);
}

void connection::on_channel_frame(const amqp_frame_t& frame) {
    const auto found = channels_.find(frame.channel);
    if (found == channels_.end()) return;
    const amqp_method_number_t method =
        frame.frame_type == AMQP_FRAME_METHOD ? frame.payload.method.id : amqp_method_number_t{0};
    if (method == AMQP_CHANNEL_CLOSE_OK_METHOD) {
        channels_.erase(found);
        return;
    }
    const bool was_open = found->second == channel_state::open;
    if (method == AMQP_CHANNEL_CLOSE_METHOD) {
        send(frame.channel, AMQP_CHANNEL_CLOSE_OK_METHOD, amqp_channel_close_ok_t{});
        // One that both ends close is over when ours was confirmed.
        if (was_open) channels_.erase(found);
    }
    if (was_open) heard_.on_frame(frame);
}

// --- ending ---

void connection::watch() {
    timer_.expires_after(watch_interval);
    timer_.async_wait([self = shared_from_this()](const error_code&) {
        if (!self->ended_) self->on_watch();
    });
}

void connection::on_watch() {
    const auto now = clock::now();
    if (now - progress_ > patience) {
        return fail(
            is_ready_ ? name() + " has said nothing for more than 3 seconds"
                      : name() + " could not be reached: " + missing_ + " within 3 seconds"
        );
    }
    if (is_ready_ && writing_.empty() && now - alive_ > alive_interval) {
        alive_ = now;
        append_heartbeat(waiting_);
        schedule_write();
    }
    watch();
}

void connection::fail(std::string reason) {
    if (ended_) return;
    end();
    asio::post(loop_, [self = shared_from_this(), reason = std::move(reason)] {
        if (const auto told = std::exchange(self->heard_, {}).on_failure) told(reason);
    });
}

void connection::close() {
    end();
    // The others are not called after the end, and one of them may be who called.
    heard_.on_failure = {};
}

void connection::end() {
    ended_ = true;
    error_code ignored;
    resolver_.cancel();
    timer_.cancel();
    socket_.close(ignored);
    waiting_ = {};
}

}  // namespace pulsewire::shell::rabbitmq
