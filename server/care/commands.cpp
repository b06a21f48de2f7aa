#include "server/care/commands.hpp"

#include "server/care/backup.hpp"
#include "server/care/examination.hpp"
#include "server/care/json_lines.hpp"
#include "server/care/repair.hpp"
#include "server/care/source.hpp"
#include "server/log.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace pulsewire::care {
namespace {

constexpr int fine = 0, failed = 1, misunderstood = 2;

struct wishes {
    std::string data, config_file, file;
    bool all_epochs = false;  // of repair
};

struct command {
    std::string_view name;
    const char* about;
    // The argument without a flag; null: there is none.
    const char* argument;
    const char* argument_about;
    bool argument_is_needed;
    const char* footer;
    int (*run)(const wishes& w, streams to, progress& on);
};

std::string counted(std::uint64_t number, std::string_view one, std::string_view many) {
    return std::to_string(number) + " " + std::string(number == 1 ? one : many);
}

std::string contents_of(std::uint64_t channels, std::uint64_t publications) {
    return counted(publications, "publication", "publications") + " in " +
           counted(channels, "channel", "channels");
}

std::string contents_of(const examination& e) {
    std::uint64_t channels = 0;
    for (const auto& [name, c] : e.channels) channels += c.has_row || c.damaged;
    return contents_of(channels, e.publications) + ", " +
           counted(e.keys, "remembered key of a publish", "remembered keys of publishes");
}

void list_faults(const std::vector<std::string>& faults, std::uint64_t left_out, std::ostream& to) {
    for (const std::string& fault : faults) to << "  " << fault << '\n';
    if (left_out > 0) to << "  and " << left_out << " more\n";
}

void list_faults(const examination& e, std::ostream& to) {
    list_faults(e.faults, e.faults_left_out, to);
    if (!e.revocations_fault.empty()) to << "  " << e.revocations_fault << '\n';
}

int run_backup(const wishes& w, streams to, progress& on) {
    const backup_report report = back_up(w.data, w.file, on);
    to.out << w.file << " is a copy of " << w.data << (report.of_running_server ? ", whose server runs" : "")
           << ": " << contents_of(report.copy) << ", " << size_text(report.bytes) << '\n';
    if (report.copy.is_whole()) return fine;
    to.out << "the folder is damaged, and so is the copy:\n";
    list_faults(report.copy, to.out);
    to.out << "pulsewired repair --data " << w.data << " keeps what is whole\n";
    return failed;
}

int run_verify(const wishes& w, streams to, progress& on) {
    const source from(w.data);
    const examination found = examine(from.folder(), on);
    if (found.is_whole()) {
        to.out << w.data << " is whole: " << contents_of(found) << '\n';
        return fine;
    }
    to.out << w.data << " is damaged:\n";
    list_faults(found, to.out);
    if (found.readable)
        to.out << "readable are " << contents_of(found) << "; "
               << counted(found.damaged_channels(), "channel has", "channels have")
               << " lost something or may have\n";
    if (!found.faults.empty())
        to.out << "stop the server, and pulsewired repair --data " << w.data << " keeps what is whole\n";
    return failed;
}

int run_repair(const wishes& w, streams to, progress& on) {
    const auto lock = lock_existing(w.data);
    if (!lock)
        throw std::runtime_error(
            "a server uses the folder " + w.data + ": stop it, because a repair exchanges its files"
        );
    if (!has_database(w.data)) throw std::runtime_error("no server ever used the folder " + w.data);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto which = w.all_epochs ? new_epochs::all : new_epochs::only_damaged;
    const repaired r =
        repair(w.data, which, std::chrono::duration_cast<std::chrono::milliseconds>(now).count(), on);
    if (r.was_finished) {
        to.out << "the repair that was interrupted is finished; the files as they were are in "
               << r.damaged_files << '\n';
    } else if (r.was_changed) {
        if (!r.faults.empty()) to.out << "what was damaged:\n";
        list_faults(r.faults, r.faults_left_out, to.out);
        to.out << w.data << " is whole now: " << contents_of(r.channels, r.publications) << '\n';
        if (r.renewed_channels > 0)
            to.out << "of them, " << contents_of(r.renewed_channels, r.renewed_publications)
                   << " got new epochs, so that clients are told that they may have missed something\n";
        if (r.forgotten_keys > 0)
            to.out << counted(
                          r.forgotten_keys, "remembered key of a publish is",
                          "remembered keys of publishes are"
                      )
                   << " forgotten with them: such a publish, sent again, counts as a new one\n";
        to.out << "the files as they were are in " << r.damaged_files
               << "; remove them when nothing of them is wanted\n";
    } else if (r.revocations_fault.empty()) {
        to.out << w.data << " is whole; nothing was changed\n";
    }
    if (r.revocations_fault.empty()) return fine;
    to.out << r.revocations_fault << '\n';
    return failed;
}

constexpr const char* not_exported =
    "not in it: the secret behind cookies of sessions, revoked tokens, and the keys of publishes whose "
    "publications "
    "are gone; pulsewired backup copies everything\n";

int run_export(const wishes& w, streams to, progress& on) {
    const source from(w.data);
    line_counts counts;
    if (w.file.empty() || w.file == "-") {
        counts = export_lines(from.folder(), to.out, on);
    } else {
        const std::string part = w.file + ".part";
        std::ofstream file(part, std::ios::binary | std::ios::trunc);
        if (!file) throw std::runtime_error("cannot write " + part);
        std::error_code ignored;
        std::filesystem::permissions(
            part, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored
        );
        try {
            counts = export_lines(from.folder(), file, on);
            file.close();
            std::filesystem::rename(part, w.file);
        } catch (const std::exception&) {
            std::filesystem::remove(part, ignored);
            throw;
        }
    }
    to.err << "exported " << contents_of(counts.channels, counts.publications) << '\n' << not_exported;
    return fine;
}

int run_import(const wishes& w, streams to, progress& on) {
    line_counts counts;
    if (w.file == "-") {
        counts = import_lines(to.in, w.data, on);
    } else {
        std::ifstream file(w.file, std::ios::binary);
        if (!file) throw std::runtime_error("cannot read " + w.file);
        try {
            counts = import_lines(file, w.data, on);
        } catch (const std::runtime_error& e) {
            throw std::runtime_error(w.file + ": " + e.what() + "; nothing was imported");
        }
    }
    to.out << "imported " << contents_of(counts.channels, counts.publications) << " into " << w.data
           << ", at the positions that they had\n";
    return fine;
}

constexpr const char* backup_footer = R"(
The copy is complete when it is there under its name, and was read again then. While the server runs, it is asked for a
copy by a socket in its folder, and goes on meanwhile; run the command as the server's user, or as root. A copy is a
data folder: a server that is started with it goes on from there.

  pulsewired backup --data /var/lib/pulsewire /backup/pulsewire-$(date +%F))";
constexpr const char* verify_footer = R"(
Reads every file and every row, and names the channels and offsets that are damaged or lost. Nothing is changed. While the
server runs, a copy that it makes is read. The exit code is 0 when everything is whole, and 1 when something is not.)";
constexpr const char* repair_footer = R"(
The server must be stopped, and the disk must have room for the folder a second time, or a third time when its list of
files is damaged. What is whole is kept. A channel of which something is lost, or may be, gets a new epoch: its clients are
told (recovered: false), and load its history anew. The files as they were stay in a folder beside the new ones.

A backup that is restored does not know what was published after it, and would give the same offsets again: with
--new-epochs every client is told.)";
constexpr const char* export_footer = R"(
One JSON object a line: each channel with its epoch and head, and each publication with its channel, epoch, offset, type,
time, payload, and its key, except, conflate and user where it has them. While the server runs, a copy that it makes is
read. Not in it: the secret behind cookies of sessions, revoked tokens, and keys of publishes whose publications are gone.)";
constexpr const char* import_footer = R"(
The folder must be empty or missing. Channels have the same positions as where they were exported, so that clients go on
as if nothing had happened. A line with a fault is named, and then nothing is imported.)";

constexpr command commands[] = {
    {"backup", "Copy the data folder, also while its server runs", "FOLDER", "Folder to make; not there yet",
     true, backup_footer, run_backup},
    {"verify", "Say what of the data folder is damaged or lost", nullptr, nullptr, false, verify_footer,
     run_verify},
    {"repair", "Keep what is whole of a damaged data folder", nullptr, nullptr, false, repair_footer,
     run_repair},
    {"export", "Write what the data folder has as JSON lines", "FILE", "File to write; -: standard output",
     false, export_footer, run_export},
    {"import", "Make a data folder of JSON lines", "FILE", "File of an export; -: standard input", true,
     import_footer, run_import}};

void add_flags(CLI::App& app, const command& c, wishes& w) {
    app.name("pulsewired " + std::string(c.name));
    app.footer(c.footer);
    app.add_option("--data", w.data, "The data folder, if not that of the configuration")
        ->type_name("FOLDER");
    app.add_option("--config", w.config_file, "Config file of the server")->type_name("FILE");
    if (c.run == run_repair)
        app.add_flag(
            "--new-epochs", w.all_epochs,
            "Give every channel a new epoch, for a folder that is older than its clients"
        );
    if (c.argument == nullptr) return;
    CLI::Option* const argument = app.add_option("file", w.file, c.argument_about)->type_name(c.argument);
    if (c.argument_is_needed) argument->required();
}

// The folder by its whole name, without a slash at its end.
std::string data_folder(const wishes& w, const shell::environment& env) {
    const std::string named = w.data.empty() ? shell::read_sources(w.config_file, env).data : w.data;
    if (named.empty())
        throw std::invalid_argument(
            "no data folder is named: use --data FOLDER, or --config with the config file of the server"
        );
    const std::filesystem::path path = std::filesystem::absolute(named).lexically_normal();
    return (path.has_filename() ? path : path.parent_path()).string();
}

int run(const command& c, int argc, const char* const* argv, const shell::environment& env, streams to) {
    wishes w;
    CLI::App app(c.about);
    add_flags(app, c, w);
    try {
        app.parse(argc - 1, argv + 1);
    } catch (const CLI::ParseError& e) {
        return app.exit(e, to.out, to.err) == 0 ? fine : misunderstood;
    }
    progress on([&to](const std::string& line) { to.err << line << std::endl; });
    try {
        w.data = data_folder(w, env);
        return c.run(w, to, on);
    } catch (const std::invalid_argument& e) {
        to.err << "error: " << e.what() << '\n';
        return misunderstood;
    } catch (const std::exception& e) {
        to.err << "error: " << e.what() << '\n';
        return failed;
    }
}

}  // namespace

std::optional<int> run_command(int argc, const char* const* argv, const shell::environment& env, streams to) {
    if (argc < 2) return std::nullopt;
    for (const command& c : commands)
        if (c.name == argv[1]) return run(c, argc, argv, env, to);
    return std::nullopt;
}

}  // namespace pulsewire::care
