#include "server/broker/redis/connection.hpp"

#include "server/broker/redis/errors.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>

#include <utility>

namespace pulsewire::shell::redis {
namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds watch_interval{250};
// A burst's memory is given back when it was written.
constexpr std::size_t kept_bytes_max = std::size_t{1} << 20;

}  // namespace

std::shared_ptr<connection> connection::open(
    const dialer& from, endpoint to, login how, on_ready ready, on_failure failed
) {
    auto made = std::make_shared<connection>(from, std::move(to), how, std::move(ready), std::move(failed));
    made->start();
    return made;
}

connection::connection(const dialer& from, endpoint to, login how, on_ready ready, on_failure failed)
    : loop_(from.loop),
      to_(std::move(to)),
      login_(how),
      user_(from.broker.user),
      password_(from.broker.password),
      ready_(std::move(ready)),
      failed_(std::move(failed)),
      resolver_(from.loop),
      socket_(from.loop),
      timer_(from.loop),
      progress_(clock::now()) {
    if (from.tls != nullptr) tls_.emplace(socket_, *from.tls);
}

std::string connection::name() const {
    return "the Redis at " + text_of(to_);
}

// --- beginning ---

void connection::start() {
    watch();
    resolver_.async_resolve(
        to_.host, std::to_string(to_.port),
        [self = shared_from_this()](const error_code& error, const tcp::resolver::results_type& found) {
            if (!self->ended_) self->on_resolved(error, found);
        }
    );
}

void connection::on_resolved(const error_code& error, const tcp::resolver::results_type& found) {
    if (error) {
        fail(
            "the broker's host " + to_.host + " has no address (" + error.message() + "): is its name right?"
        );
        return;
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
        fail(
            name() + " cannot be reached: " + error.message() +
            ". Does it run there, and may this machine connect?"
        );
        return;
    }
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    if (!tls_) {
        log_in();
        return;
    }
    missing_ = "it did not shake hands by TLS (is that its port for TLS?)";
    tls_->set_verify_mode(asio::ssl::verify_peer);
    tls_->set_verify_callback(asio::ssl::host_name_verification(to_.host));
    SSL_set_tlsext_host_name(tls_->native_handle(), to_.host.c_str());
    tls_->async_handshake(
        asio::ssl::stream_base::client,
        [self = shared_from_this()](const error_code& failed) {
            if (!self->ended_) self->on_encrypted(failed);
        }
    );
}

void connection::on_encrypted(const error_code& error) {
    if (error) {
        fail(
            "no TLS with " + name() + ": " + error.message() +
            ". Its certificate must name that host and be signed by an authority that is known here, and its "
            "port must "
            "be the one for TLS"
        );
        return;
    }
    log_in();
}

// HELLO is not sent: RESP 2 is what every version speaks first, and nothing here needs more.
void connection::log_in() {
    connected_ = true;
    progress_ = clock::now();
    read();
    if (password_.empty()) {
        std::exchange(ready_, {})();
        return;
    }
    const std::string_view user = user_.empty() ? "default" : std::string_view(user_);
    send({"AUTH", user, password_}, [this](reply&& answer) { on_logged_in(*answer); });
}

void connection::on_logged_in(reply_view answer) {
    if (answer.is_error() && login_ == login::required) {
        fail(sentence_of_refused_login(name(), user_, answer.text()));
        return;
    }
    std::exchange(ready_, {})();
}

// --- talking ---

void connection::send(
    std::span<const std::string_view> words, on_reply answered, std::chrono::milliseconds may_block
) {
    if (ended_) return;
    if (awaited_.empty()) progress_ = clock::now();
    append_command(waiting_, words);
    awaited_.push_back({std::move(answered), may_block});
    if (unsent_bytes() > unsent_bytes_max) {
        fail(name() + " takes less than it is given: more than 32 MB wait to be sent");
        return;
    }
    schedule_write();
}

// What is sent in one turn of the loop leaves in one write.
void connection::schedule_write() {
    if (write_scheduled_) return;
    write_scheduled_ = true;
    asio::post(loop_, [self = shared_from_this()] {
        self->write_scheduled_ = false;
        if (!self->ended_) self->write();
    });
}

void connection::write() {
    if (!writing_.empty() || waiting_.empty()) return;
    std::swap(writing_, waiting_);
    const auto written = [self = shared_from_this()](const error_code& error, std::size_t) {
        if (!self->ended_) self->on_written(error);
    };
    if (tls_) {
        asio::async_write(*tls_, asio::buffer(writing_), written);
    } else {
        asio::async_write(socket_, asio::buffer(writing_), written);
    }
}

void connection::on_written(const error_code& error) {
    if (error) {
        fail(name() + " takes nothing more: " + error.message());
        return;
    }
    writing_.clear();
    if (writing_.capacity() > kept_bytes_max) writing_ = {};
    write();
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
        fail(
            name() + " has ended the connection (" + error.message() +
            (may_want_tls ? "): does it expect TLS, with rediss:// as the address?" : ")")
        );
        return;
    }
    has_heard_ = true;
    progress_ = clock::now();
    replies_.feed(std::span(buffer_).first(bytes));
    while (auto next = replies_.next()) {
        if (awaited_.empty()) {
            // A server that refuses a connection says so unasked: too many clients, or protected mode.
            fail(sentence_of_error(name(), (**next).text()));
            return;
        }
        const auto answered = std::move(awaited_.front().answered);
        awaited_.pop_front();
        answered(std::move(*next));
        if (ended_) return;
    }
    if (replies_.failed()) {
        fail(
            "what answers at " + text_of(to_) + " is no Redis" +
            (tls_ ? "" : ", or expects TLS: then its address begins with rediss://")
        );
        return;
    }
    read();
}

// --- ending ---

void connection::watch() {
    timer_.expires_after(watch_interval);
    timer_.async_wait([self = shared_from_this()](const error_code&) {
        if (!self->ended_) self->on_watch();
    });
}

// Bytes are progress, also in the middle of a reply: a large one over a slow line is no death.
void connection::on_watch() {
    const auto silent = clock::now() - progress_;
    if (!connected_ && silent > patience) {
        fail(name() + " could not be reached: " + missing_ + " within 3 seconds");
        return;
    }
    if (connected_ && !awaited_.empty() && silent > patience + awaited_.front().may_block) {
        fail(name() + " has answered nothing for more than 3 seconds");
        return;
    }
    watch();
}

void connection::fail(std::string reason) {
    if (ended_) return;
    end();
    asio::post(loop_, [self = shared_from_this(), reason = std::move(reason)] {
        if (const auto told = std::exchange(self->failed_, {})) told(reason);
    });
}

void connection::close() {
    end();
    failed_ = {};
}

void connection::end() {
    ended_ = true;
    error_code ignored;
    resolver_.cancel();
    timer_.cancel();
    socket_.close(ignored);
    awaited_.clear();
    waiting_ = {};
    ready_ = {};
}

}  // namespace pulsewire::shell::redis
