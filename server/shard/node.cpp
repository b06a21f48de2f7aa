#include "server/shard/node.hpp"

#include "common/schema/types.hpp"
#include "server/config/memory.hpp"
#include "server/config/message_types.hpp"
#include "server/identity/base64url.hpp"
#include "server/identity/token_cache.hpp"
#include "server/log.hpp"
#include "server/random.hpp"
#include "server/version.hpp"

#include <boost/asio/post.hpp>

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace pulsewire::shell {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t default_connections_max = 18'000;
// Descriptors for everything else: loops, listeners, files that are being sent, the log.
constexpr std::uint32_t other_descriptors = 200;
// Connections beyond connections_max that are let in for a second, to be told what they understand.
constexpr std::uint32_t spare_connections_max = 64;

// As many descriptors as the system lets us have, because each connection is one.
std::uint32_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1'024;
    if (limit.rlim_cur < limit.rlim_max) {
        const rlimit raised{limit.rlim_max, limit.rlim_max};
        if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    }
    return static_cast<std::uint32_t>(std::min<rlim_t>(limit.rlim_cur, 10'000'000));
}

std::uint64_t choose_waiting_bytes(std::uint64_t configured) {
    constexpr std::uint64_t share_of_memory = 8;
    return configured == 0 ? usable_memory_bytes() / share_of_memory : configured;
}

std::uint64_t choose_mail_bytes(std::uint64_t configured) {
    constexpr std::uint64_t share_of_memory = 16;
    return configured == 0 ? usable_memory_bytes() / share_of_memory : configured;
}

std::uint32_t choose_connections_max(std::uint32_t configured) {
    const std::uint32_t descriptors = raise_descriptor_limit();
    const std::uint32_t possible =
        descriptors > 2 * other_descriptors ? descriptors - other_descriptors : descriptors / 2;
    return std::min(configured == 0 ? default_connections_max : configured, possible);
}

hub::shard_index choose_shard_count(std::uint32_t configured) {
    constexpr std::uint32_t shards_max = 1'024;
    const std::uint32_t wanted =
        configured == 0 ? std::max(1u, std::thread::hardware_concurrency()) : configured;
    return static_cast<hub::shard_index>(std::min(wanted, shards_max));
}

address_limits::bounds bounds_of_addresses(const shell_limits& s, std::uint32_t connections_max) {
    constexpr std::uint32_t share_of_connections = 8, connects_per_second = 100, requests_per_second = 1'000;
    const auto choose = [](std::uint32_t configured, std::uint32_t otherwise) {
        return configured != 0 ? configured : otherwise;
    };
    return {
        choose(s.connections_per_address_max, std::max(1u, connections_max / share_of_connections)),
        choose(s.connects_per_address_per_second, connects_per_second),
        choose(s.requests_per_address_per_second, requests_per_second)};
}

// A proxy on this machine speaks for many clients, so where nothing is configured its rates have no limit,
// and a part of the connections is left to others.
address_limits::bounds bounds_of_this_machine(const shell_limits& s, std::uint32_t connections_max) {
    constexpr std::uint32_t share_for_others = 8;
    const std::uint32_t others = connections_max / share_for_others;
    const std::uint32_t most = others == 0 ? 0 : connections_max - others;  // 0: so few are nobody's
    return {
        s.connections_per_address_max != 0 ? s.connections_per_address_max : most,
        s.connects_per_address_per_second, s.requests_per_address_per_second};
}

// The settings were checked before.
std::vector<network> networks_of(const std::vector<std::string>& texts) {
    std::vector<network> all;
    for (const std::string& text : texts)
        if (const auto one = network::parse(text)) all.push_back(*one);
    return all;
}

// Of all shards together.
std::uint64_t history_bytes_total(const limits& bounds) {
    constexpr std::uint64_t share_of_memory = 4;
    const std::uint64_t configured = bounds.history_bytes_total_max;
    return configured != 0 ? configured : usable_memory_bytes() / share_of_memory;
}

// Of a cluster's channels with their histories, where the configuration names no sum.
constexpr std::uint64_t shared_history_bytes = std::uint64_t{1} << 30;

std::int64_t seconds_now() {
    using namespace std::chrono;
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

// Gives a hub its own copy of the types of its namespaces, because its thread alone may put others in their
// place.
shard::own_types own_types(hub::config& of) {
    shard::own_types own;
    const auto take = [&own](namespace_options& options) {
        if (options.types == nullptr) return;
        auto& mine = own[options.types.get()];
        if (mine == nullptr) mine = std::make_shared<schema::types>(*options.types);
        options.types = mine;
    };
    take(of.default_namespace);
    for (auto& [name, options] : of.namespaces) take(options);
    return own;
}

// With a data folder the server's own tokens count after a restart, too, and at a server that takes over.
std::string secret_of_tokens(const hash_key& kept) {
    const std::string text =
        "pulsewire: tokens " + std::to_string(kept.first) + ' ' + std::to_string(kept.second);
    const auto digest = identity::token_cache::digest_of(text);
    if (!digest) throw std::runtime_error("OpenSSL has no SHA-256, which tokens need");
    return identity::to_base64url({reinterpret_cast<const char*>(digest->data()), digest->size()});
}

// What a client reads; the operator finds the cause in the log.
std::string_view error_text(const log_store::failure& failed) {
    return failed.code == error_code::storage_full
               ? "the server's disk is full; the publication was refused"
               : "the server could not write to its disk; whether the publication is kept is not known";
}

}  // namespace

node::node(const config& settings, std::vector<observer_port*> observers, welcome how)
    : settings_(settings),
      observers_(std::move(observers)),
      welcome_(std::move(how)),
      shard_count_(choose_shard_count(settings.threads)),
      connections_max_(choose_connections_max(settings.shell.connections_max)),
      waiting_bytes_max_(choose_waiting_bytes(settings.shell.waiting_bytes_total_max) / shard_count_),
      mail_(choose_mail_bytes(settings.shell.mail_bytes_total_max)),
      secret_{random_bits(), random_bits()},
      addresses_(
          hash_key{random_bits(), random_bits()}, bounds_of_addresses(settings.shell, connections_max_),
          bounds_of_this_machine(settings.shell, connections_max_), networks_of(settings.trusted_proxies)
      ) {}

node::~node() {
    stop();
}

void node::take_namespaces(hub::config& into, const config& from) const {
    const auto resolved = [this](namespace_options o) {
        if (o.keeps == durability::automatic)
            o.keeps = post_to_broker_ ? durability::broker : log_ ? durability::disk : durability::memory;
        if (!o.allow_is_set && asks_who()) o.allow = access_rules::none();
        return o;
    };
    into.default_namespace = resolved(from.default_namespace);
    for (const auto& [name, options] : from.namespaces) into.namespaces.emplace(name, resolved(options));
}

hub::config node::hub_config(hub::shard_index index) const {
    hub::config c;
    c.bounds = settings_.bounds;
    c.bounds.history_bytes_total_max =
        std::max<std::uint64_t>(1, history_bytes_total(settings_.bounds) / shard_count_);
    take_namespaces(c, settings_);
    if (log_) {
        c.store_id = log_->id();
        c.store_generation = log_->generation();
    }
    c.partitions = post_to_broker_ ? settings_.broker_partitions : 0;
    c.shard = index;
    c.shard_count = shard_count_;
    c.server_name = "pulsewire/" + std::string(version);
    c.drain_url = settings_.drain_url;
    c.seed = random_bits();
    c.secret = secret_;
    c.verifies_tokens = asks_who();
    c.anonymous = !asks_who() || settings_.anonymous;
    c.forwards = forwards_.patterns;
    for (const observer_port* o : observers_) c.observers.push_back(o->wants());
    return c;
}

// The same on all nodes, so nothing in it may depend on this machine.
cluster::replica_options node::replica_options(const hub::config& of_hub) const {
    const auto history_of = [](const namespace_options& o) {
        return cluster::history_options{
            o.history_count_max, o.history_bytes_max, o.history_age_ms, o.state_bytes_max, o.keyed};
    };
    cluster::replica_options options;
    options.shared.default_namespace = history_of(of_hub.default_namespace);
    for (const auto& [name, o] : of_hub.namespaces)
        if (o.keeps == durability::broker) options.shared.namespaces.emplace(name, history_of(o));
    const limits& bounds = settings_.bounds;
    options.shared.idempotency_ms = bounds.idempotency_ms;
    options.shared.idempotency_keys_max = bounds.idempotency_keys_max;
    const std::uint64_t histories = bounds.history_bytes_total_max;
    options.shared.history_bytes_total_max =
        std::max<std::uint64_t>(1, (histories != 0 ? histories : shared_history_bytes) / of_hub.partitions);
    options.shared.channels_max = std::max<std::uint32_t>(1, bounds.channels_max / of_hub.partitions);
    options.shared.channel_idle_ms = bounds.channel_idle_ms;
    options.shared.presence_members_max = bounds.presence_members_max;
    options.shared.secret = {random_bits(), random_bits()};
    options.broker_is_durable = settings_.broker_is_durable;
    options.waits_for_broker = settings_.broker_replicas > 0;
    options.local = secret_;
    options.seed = random_bits();
    return options;
}

void node::check_port() const {
    check_free(settings_.address, settings_.port);
}

void node::check_tls() const {
    if (has_tls()) (void)tls_context(settings_.tls_certificate, settings_.tls_key);
}

bool node::take_folder() {
    if (!settings_.data.empty() && !folder_) folder_ = folder_lock::try_to_take(settings_.data);
    return settings_.data.empty() || folder_;
}

void node::reload_tls() {
    const auto context = std::make_shared<const tls_context>(settings_.tls_certificate, settings_.tls_key);
    // At the start a server with such a certificate is better than none; here there is another one.
    if (std::string fault = context->fault_at(seconds_now()); !fault.empty()) throw std::runtime_error(fault);
    certificate_expires_s_ = context->expires_s();
    for (const auto& s : shards_) asio::post(s->loop(), [&shard = *s, context] { shard.use_tls(context); });
    log::info(
        "new connections get the certificate ", settings_.tls_certificate, ", valid until ",
        utc_text(context->expires_s())
    );
}

void node::start() {
    started_s_ = seconds_now();
    check_port();
    std::shared_ptr<const tls_context> tls;
    if (has_tls()) {
        tls = std::make_shared<const tls_context>(settings_.tls_certificate, settings_.tls_key);
        certificate_expires_s_ = tls->expires_s();
        if (const std::string fault = tls->fault_at(seconds_now()); !fault.empty()) log::warning(fault);
    }
    if (!settings_.audit_log.empty()) audit_.emplace(settings_.audit_log);
    const auto keys = std::make_shared<const api_keys>(settings_);
    port_ = settings_.port;
    if (!settings_.data.empty()) {
        log_ = std::make_unique<log_store>(settings_.data);
        secret_ = log_->secret();
    }
    authenticator_ = std::make_unique<identity::authenticator>(
        settings_.issuers, log_ ? secret_of_tokens(secret_) : random_secret() + random_secret(),
        settings_.data, std::int64_t{settings_.token_lifetime_max_s} * 1'000, shard_port::now().wall_ms
    );
    for (hub::shard_index i = 0; i < shard_count_; ++i) {
        hub::config of_hub = hub_config(i);
        if (i == 0) owners_ = of_hub;
        auto types = own_types(of_hub);
        shards_.push_back(std::make_unique<shard>(*this, i, std::move(of_hub)));
        shards_.back()->keep_types(std::move(types));
        if (post_to_broker_) shards_.back()->share(replica_options(owners_));
        if (forwards_.reader_for) shards_.back()->tap().use(forwards_.reader_for(i));
        if (tls) shards_.back()->use_tls(tls);
        shards_.back()->use_keys(keys);
        tcp_acceptor acceptor = listen_on(shards_.back()->loop(), settings_.address, port_);
        port_ = acceptor.local_endpoint().port();
        shards_.back()->listen(std::move(acceptor));
    }
    // Whoever comes while the log is read waits in the kernel.
    if (log_) restore(log_->load());
    // Signals are for the threads that wait for them.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    if (log_) run_storage();
    authenticator_->start([this] {
        for (const auto& s : shards_) asio::post(s->loop(), [&shard = *s] { shard.verify_waiting(); });
    });
    for (const auto& s : shards_) threads_.emplace_back([&shard = *s] { shard.run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    audit_act("start");
}

void node::audit_act(std::string_view event) {
    if (!audit_) return;
    audit_entry e;
    e.event = event;
    audit_->write(audit_text(e, shard_port::now().wall_ms));
}

std::optional<access::verdict> node::verify(std::string_view token, std::string& refused) {
    auto answer = authenticator_->verify(token, shard_port::now().wall_ms);
    if (answer.waits) return std::nullopt;
    if (answer.verdict.who == nullptr) {
        refused = "a token proves nothing: " + answer.why;
        if (!answer.issuer.empty()) refused += " (iss " + answer.issuer + ")";
        if (!answer.key_id.empty()) refused += " (kid " + answer.key_id + ")";
    }
    return std::move(answer.verdict);
}

void node::revoke(hub::revoke what, std::function<void(bool kept)> done) {
    tell_nodes({true, what});
    revoke_here(std::move(what), std::move(done));
}

void node::revoke_here(hub::revoke&& what, std::function<void(bool kept)> done) {
    auto work = [this, what = std::move(what), done = std::move(done)] {
        const bool kept = authenticator_->revoke(what, shard_port::now().wall_ms);
        if (kept) tell_own_sessions({true, what});
        done(kept);
    };
    if (storage_) return storage_->post(std::move(work));
    work();
}

void node::tell_sessions(const cluster::order& what) {
    tell_nodes(what);
    tell_own_sessions(what);
}

void node::tell_own_sessions(const cluster::order& what) {
    for (hub::shard_index i = 0; i < shard_count_; ++i) {
        std::vector<hub::shard_message> one;
        std::visit([&one](const auto& value) { one.emplace_back(hub::to_session(value)); }, what.what);
        post(i, std::move(one));
    }
}

void node::tell_nodes(const cluster::order& what) {
    if (!post_to_broker_) return;
    // The first shard owns the first partition.
    asio::post(at(0).loop(), [this, what] { at(0).tell_nodes(what); });
}

// On the thread of a shard.
void node::obey(cluster::order&& what) {
    hub::revoke* const revoked = std::get_if<hub::revoke>(&what.what);
    if (revoked == nullptr || !what.ends_tokens) return tell_own_sessions(what);
    revoke_here(std::move(*revoked), [](bool kept) {
        if (!kept) log::error("a revocation of another node is not kept: it counts until this one restarts");
    });
}

void node::post_to_stream(std::string name, std::string lines, post_done done) {
    const std::uint64_t process = stream_names::process_of(name);
    if (!post_to_broker_ || process == 0 || process == process_)
        return welcome_.give_to_stream(*this, name, std::move(lines), std::move(done));
    cluster::post_note what{0, std::move(name), std::move(lines)};
    asio::post(at(0).loop(), [this, process, what = std::move(what), done = std::move(done)]() mutable {
        at(0).post_elsewhere(process, std::move(what), std::move(done));
    });
}

// On the thread of the first shard, as the answer must be.
void node::take_post(cluster::log_output::stream_post&& what) {
    welcome_.give_to_stream(
        *this, what.what.stream, std::move(what.what.lines),
        [this, from = what.from, number = what.what.number](post_outcome how) {
            asio::post(at(0).loop(), [this, from, number, how] {
                at(0).answer_post(from, {number, static_cast<std::uint8_t>(how)});
            });
        }
    );
}

void node::to_broker(std::vector<cluster::to_broker>&& values) {
    for (cluster::to_broker& v : values) post_to_broker_(std::move(v));
}

void node::from_broker(std::span<cluster::from_broker> values) {
    std::vector<std::vector<cluster::from_broker>> batches(shard_count_);
    std::uint64_t bytes = 0;
    for (cluster::from_broker& v : values) {
        bytes += memory_of(v);
        batches[v.partition % shard_count_].push_back(std::move(v));
    }
    for (hub::shard_index i = 0; i < shard_count_; ++i)
        if (!batches[i].empty())
            asio::post(at(i).loop(), [this, i, batch = std::move(batches[i])]() mutable {
                at(i).from_broker(std::move(batch));
            });
    broker_mail_.posted(bytes);
}

bool node::has_issuer_files() const {
    return std::any_of(settings_.issuers.begin(), settings_.issuers.end(), [](const token_issuer& one) {
        return !one.secret_file.empty() || !one.key_file.empty();
    });
}

void node::reload_issuers() {
    authenticator_->reload();
    log::info("tokens are verified with the keys of the issuers' files as they are now");
}

std::vector<const schema::types*> node::all_types() const {
    std::set<const schema::types*> all{settings_.default_namespace.types.get()};
    for (const auto& [name, options] : settings_.namespaces) all.insert(options.types.get());
    all.erase(nullptr);
    return {all.begin(), all.end()};
}

bool node::has_type_files() const {
    const auto all = all_types();
    return std::any_of(all.begin(), all.end(), [](const schema::types* types) {
        return std::any_of(types->all().begin(), types->all().end(), [](const auto& one) {
            return !one.second.file.empty();
        });
    });
}

// All are read before the first one is used. They are known by the types that the settings have of them,
// which stay as they were at the start.
void node::reload_types() {
    auto fresh = std::make_shared<types_by_setting>();
    std::size_t files = 0;
    for (const schema::types* from : all_types()) {
        auto types = read_types_again(*from);
        if (!types) throw std::runtime_error(types.error());
        for (const auto& [type, one] : types->all()) files += one.file.empty() ? 0 : 1;
        fresh->emplace(from, std::move(*types));
    }
    for (const auto& s : shards_) asio::post(s->loop(), [&shard = *s, fresh] { shard.use_types(*fresh); });
    log::info(files, files == 1 ? " schema file was" : " schema files were", " read again");
}

void node::reload_settings(const config& fresh) {
    const auto keys = std::make_shared<const api_keys>(fresh);
    const auto settings = std::make_shared<const config>(fresh);
    connections_max_ = choose_connections_max(fresh.shell.connections_max);
    addresses_.use(
        bounds_of_addresses(fresh.shell, connections_max_),
        bounds_of_this_machine(fresh.shell, connections_max_)
    );
    mail_.use(choose_mail_bytes(fresh.shell.mail_bytes_total_max));
    const std::uint64_t waiting_bytes_max =
        choose_waiting_bytes(fresh.shell.waiting_bytes_total_max) / shard_count_;
    for (const auto& s : shards_)
        asio::post(s->loop(), [&shard = *s, keys, settings, waiting_bytes_max] {
            shard.use_keys(keys);
            shard.use_settings(settings, waiting_bytes_max);
        });
    if (!fresh.api_key_file.empty())
        log::info(
            "the API takes ", keys->size(), keys->size() == 1 ? " key" : " keys", " from now on, of ",
            fresh.api_key_file
        );
}

void node::reload_namespaces(const config& fresh) {
    auto namespaces = std::make_shared<hub::config>();
    take_namespaces(*namespaces, fresh);
    for (const auto& s : shards_)
        asio::post(s->loop(), [&shard = *s, namespaces] {
            shard.tell_hub([&](hub::hub& h, hub::instant at) { h.use_namespaces(*namespaces, at); });
        });
}

void node::restore(log_store::contents&& kept) {
    for (const std::string& sentence : kept.damaged)
        log::error("data folder ", settings_.data, ": ", sentence);
    restored_ = std::to_string(kept.publications) + " publications in " +
                std::to_string(kept.channels.size()) + " channels";
    for (hub::restored_channel& c : kept.channels) {
        shard& owner = owner_of(c.name);
        owner.restore(std::move(c));
    }
    for (const hub::restored_key& k : kept.keys) owner_of(k.channel).restore(k);
}

void node::run_storage() {
    storage_ = std::make_unique<commit_thread>(*log_, [this](hub::shard_index to, commit_thread::outcome o) {
        shard& asked = at(to);
        asio::post(asked.loop(), [&asked, o = std::move(o)] {
            asked.tell_hub([&o](hub::hub& h, hub::instant at) {
                if (!o.failed) return h.stored(o.number, at);
                h.store_failed(o.term, o.failed->code, error_text(*o.failed), at);
            });
        });
    });
}

// On the thread that also writes the list of revoked tokens, so that both are of one moment.
void node::checkpoint(std::string folder, std::function<void(std::optional<std::string> fault)> done) {
    storage_->post([this, folder = std::move(folder), done = std::move(done)] {
        auto fault = log_->checkpoint(folder);
        std::error_code error;
        const std::string revoked = settings_.data + "/" + identity::revocations::file_name;
        if (!fault && std::filesystem::exists(revoked, error))
            std::filesystem::copy_file(revoked, folder + "/" + identity::revocations::file_name, error);
        if (!fault && error) fault = "the list of revoked tokens: " + error.message();
        done(std::move(fault));
    });
}

bool node::storage_is_failing() {
    if (!storage_ || !storage_->counters().failing) return false;
    storage_->probe();
    return true;
}

void node::drain(std::function<void()> quiet, std::function<void()> drained) {
    announced_ = true;
    quiet_.begin(shard_count_, std::move(quiet));
    drained_.begin(shard_count_, std::move(drained));
    for (const auto& s : shards_) asio::post(s->loop(), [&shard = *s] { shard.begin_drain(); });
}

void node::ask_loops(std::function<void()> answered) {
    // Shared: by the loops that did not answer yet.
    auto missing = std::make_shared<std::atomic<std::uint32_t>>(shard_count_);
    for (const auto& s : shards_)
        asio::post(s->loop(), [missing, answered] {
            if (--*missing == 0) answered();
        });
}

void node::settle(std::function<void()> settled) {
    settled_.begin(shard_count_, std::move(settled));
    for (const auto& s : shards_) asio::post(s->loop(), [this, &shard = *s] { settle(shard); });
}

// On the shard's thread.
void node::settle(shard& s) {
    if (s.has_mail()) return asio::post(s.loop(), [this, &s] { settle(s); });
    // After the end of the turn in which the last of it is carried out.
    asio::post(s.loop(), [this] { settled_.arrive(); });
}

void node::release_log() {
    if (!log_) return;
    if (storage_) storage_->stop();
    log_.reset();
    folder_.reset();
}

void node::stop() {
    broker_mail_.end();
    for (const auto& s : shards_) s->loop().stop();
    for (std::thread& t : threads_) t.join();
    threads_.clear();
    release_log();
}

void node::post(hub::shard_index to, std::vector<hub::shard_message>&& batch) {
    std::uint64_t bytes = 0;
    for (const hub::shard_message& m : batch) bytes += hub::memory_of(m);
    mail_.posted(bytes);
    asio::post(at(to).loop(), [this, to, bytes, batch = std::move(batch)]() mutable {
        at(to).receive(std::move(batch), bytes);
    });
}

void node::received(std::uint64_t bytes) {
    if (!mail_.received(bytes)) return;
    for (const auto& s : shards_) asio::post(s->loop(), [&shard = *s] { shard.read_on(); });
}

void node::store(hub::shard_index from, std::vector<hub::store_op>&& operations) {
    storage_->post(from, std::move(operations));
}

std::unique_ptr<conversation> node::first_conversation(connection& owner, shard& home) {
    return welcome_.first_conversation(owner, home, *this);
}

bool node::admit_connection() {
    if (connections_.fetch_add(1) < connections_max_) return true;
    --connections_;
    return false;
}

bool node::admit_spare_connection() {
    if (connections_.fetch_add(1) < connections_max_ + spare_connections_max) return true;
    --connections_;
    return false;
}

}  // namespace pulsewire::shell
