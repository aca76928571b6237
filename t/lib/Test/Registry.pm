package Test::Registry;

# Copyright (C) The ngx_registry_module authors

# Runs nginx with the module for a test file:
#
#     my $s3 = Test::Registry::S3->new();
#     my $t = Test::Registry->node($s3);
#
#     is($t->get('/v2/')->status, 200, 'ping');
#
#     finish();
#
# finish() stops everything and adds the tests that each file has: nothing
# alarming in the error log, nothing from a sanitizer.
#
# TEST_NGINX_BINARY is the nginx to run, TEST_REGISTRY_MODULE the module to
# load into it (empty: it has it already), TEST_REGISTRY_LOG the level of the
# error log, TEST_REGISTRY_LEAVE=1 keeps the files of a run.

###############################################################################

use warnings;
use strict;
use version;

use Exporter qw/ import /;
use JSON::PP ();
use Test::More ();
use Time::HiRes qw/ sleep time /;

use Test::Registry::Client;
use Test::Registry::Tools qw/ make_certificate password_file trust /;
use Test::Registry::Util qw/
    root_dir temp_dir free_port write_file append_file read_file read_lines
    wait_for run_command clean_env find_tool
/;

our @EXPORT = qw/ finish /;
our @EXPORT_OK = qw/ nginx_binary nginx_has module_path sanitized /;

my $Owner = $$;
my @Instances;

###############################################################################

sub nginx_binary {
    return $ENV{TEST_NGINX_BINARY} if length($ENV{TEST_NGINX_BINARY} // '');
    return find_tool('nginx') // die "no nginx on this machine\n";
}


my $Version;

sub nginx_version {
    $Version //= (run_command([nginx_binary(), '-V'], env => clean_env()))[1];
    return $Version;
}


sub nginx_before {
    my ($version) = @_;

    my ($ours) = nginx_version() =~ m{nginx/([\d.]+)};
    return version->parse("v$ours") < version->parse("v$version");
}


# Built with sanitizers: memory and times say nothing.

sub sanitized { return nginx_version() =~ /-fsanitize=/ ? 1 : 0 }


# nginx_has('http_v2')

sub nginx_has {
    my ($module) = @_;
    return nginx_version() =~ /--with-${module}_module\b/ ? 1 : 0;
}


sub module_path {
    my $module = $ENV{TEST_REGISTRY_MODULE};
    return $module if defined $module;

    my $name = 'ngx_http_registry_module.so';
    my ($newest) = sort { -M $a <=> -M $b }
        map { glob root_dir() . "/build/$_$name" } '', '*/', '*/*/';

    return $newest // die "no $name under build/: run \"make module\"\n";
}

###############################################################################

# A registry in front of a bucket or a directory, running.  All of them
# optional:
#     registry, location, server, http, main    more directives of that place
#     env         the environment of nginx, beside the keys
#     ca          file with the roots that S3's certificate may have
#     workers     number of worker processes
#     timeout     seconds instead of the shipped time limits towards S3
#     ports       { '' => 5000 } instead of any free one
#     probe => 0  the question at start will not be answered
#     nobody => 1 workers may do what nobody may, if root starts them
#     wrap        a command that runs nginx

sub node {
    my ($class, $s3, %opt) = @_;

    my $self = $class->new(%opt, s3 => $s3);

    $self->conf(<<'CONF');
%%main%%
events {
    worker_connections 1024;
}
http {
    %%http%%

    server {
        listen 127.0.0.1:%%port%%;
        %%server%%
        %%registry%%

        location /v2/ {
            registry on;
            %%location%%
        }
    }
}
CONF

    return $self->start();
}


sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        ports => {}, %opt, dir => temp_dir('nginx-' . @Instances),
        expected => [], mark => 0
    }, $class;

    mkdir "$self->{dir}/$_" for qw/ cache temp logs /;
    write_file("$self->{dir}/error.log", '');
    push @Instances, $self;

    return $self;
}


# Writes nginx.conf.  What is there to be filled in:
#     %%main%% %%http%% %%server%% %%registry%%   what each place needs
#     %%location%%                                 the option of that name
#     %%dir%% %%port%% %%port:name%%               our directory, free ports
#     %%include:http%% %%include:server%% %%include:dav%%  the shipped files

sub conf {
    my ($self, $text) = @_;

    1 while $text =~ s/%%([a-z]+)(?::(\w+))?%%/$self->fill($1, $2)/ge;
    write_file("$self->{dir}/nginx.conf", $text);
    return $self;
}


sub fill {
    my ($self, $what, $name) = @_;

    my $dir = $self->{dir};

    return $dir if $what eq 'dir';
    return $self->port($name) if $what eq 'port';
    return "include $dir/" . $self->shipped($name) . ';'
        if $what eq 'include';
    return $self->{location} // '' if $what eq 'location';
    return $self->{s3} ? $self->registry($self->{s3}) : ''
        if $what eq 'registry';
    return '%%include:' . $self->store_include() . '%%' . "\n"
        . ($self->{server} // '') if $what eq 'server';

    if ($what eq 'main') {
        my $module = module_path();
        my $level = $ENV{TEST_REGISTRY_LOG} // 'info';

        return join "\n", $> != 0 ? () : $self->{nobody} ? 'user nobody nogroup;'
                : 'user root;',
            length $module ? "load_module $module;" : (),
            "pid $dir/nginx.pid;", "error_log $dir/error.log $level;",
            'worker_processes ' . ($self->{workers} // 1) . ';',
            $self->{main} // '';
    }

    die "%%$what%% in a configuration\n" if $what ne 'http';

    my @temp = map { "${_}_temp_path $dir/temp/$_;" }
        qw/ client_body proxy fastcgi uwsgi scgi /;

    my $format = join ',', map { qq("$_":"\$$_") } qw/
        request_method request_uri status body_bytes_sent registry_name
        registry_reference registry_cache_status registry_stale_age
        registry_s3_requests registry_s3_status registry_credentials_source
        request_completion
        request_time /;

    return join "\n", @temp, "log_format test escape=json '{$format}';",
        "access_log $dir/access.log test;",
        $self->store_include() eq 'server' ? '%%include:http%%' : (),
        $self->{http} // '';
}


# The file of the server level that a store needs.

sub store_include {
    my ($self) = @_;

    my $s3 = $self->{s3};
    return $s3 && $s3->can('include') ? $s3->include : 'server';
}


# The files as they are shipped, but for the places of caches and roots,
# and for what edit => { http => sub { }, server => sub { } } does.

sub shipped {
    my ($self, $level) = @_;

    my $name = "registry_$level.conf";
    my $text = read_file(root_dir() . "/conf/$name");

    $text =~ s{^(proxy_cache_path\s+)/\S*/(\S+)}{$1$self->{dir}/cache/$2}mg;
    $text =~ s{^(\s*proxy_ssl_trusted_certificate\s+)[^;]+}{$1$self->{ca}}mg
        if $self->{ca};
    $text =~ s{^(\s*proxy_(?:connect_timeout|send_timeout|read_timeout|cache_lock_age)\s+)\w+;}
        {$1$self->{timeout}s;}mg if $self->{timeout};

    $text = $self->{edit}{$level}->($text) if $self->{edit}{$level};

    write_file("$self->{dir}/$name", $text);
    return $name;
}


# A file of conf-examples/, installed below our directory: nothing is changed
# but places, port, endpoint, bucket and region.  Returns where it is.

sub example {
    my ($self, $name) = @_;

    my $dir = $self->{dir};
    my $s3 = $self->{s3};
    my $text = read_file(root_dir() . "/conf-examples/$name");

    $text =~ s{/etc/nginx/}{$dir/}g;
    $text =~ s{/var/log/nginx/}{$dir/logs/}g;
    $text =~ s{(?:/var/lib/nginx|/srv)/}{$dir/}g;
    $text =~ s{(listen\s+)(?:127\.0\.0\.1:)?\d+}{"${1}127.0.0.1:" . $self->port}ge;
    $text =~ s{(registry_s3_bucket)\s+\S+;}{"$1 " . $s3->bucket . ';'}ge;
    $text =~ s{(registry_s3_region)\s+\S+;}{"$1 " . $s3->region . ';'}ge;
    $text =~ s{(registry_s3_endpoint)\s+\S+;}{"$1 " . $s3->endpoint . ';'}ge;

    $self->shipped($_) for 'http', 'server', 'dav';
    mkdir "$dir/conf.d";
    return write_file("$dir/conf.d/$name", $text);
}


# The host that writes, by its example and nothing else, over TLS with a root
# that the clients of Test::Registry::Tools trust; users are names and
# passwords.

sub jenkins {
    my ($class, $s3, %users) = @_;

    my ($ca) = make_certificate('registry-root');
    my ($crt, $key) = make_certificate('registry', ca => 'registry-root');

    trust($ca);

    my $self = $class->new(s3 => $s3, workers => 2,
        env => { AWS_ENDPOINT_URL_S3 => $s3->endpoint });
    my $dir = $self->dir;

    $self->example('jenkins.conf');
    write_file("$dir/registry.pem", read_file($crt));
    write_file("$dir/registry.key", read_file($key));
    password_file("$dir/registry.users", %users);

    return $self->conf(<<"CONF")->start();
%%main%%
events {}
http {
    client_body_temp_path $dir/temp/c;
    proxy_temp_path $dir/temp/p;
    access_log $dir/access.log;
    include $dir/conf.d/*.conf;
}
CONF
}


# Directives that make a registry of a bucket, or of a directory.

sub registry {
    my ($self, $s3) = @_;

    return join "\n", $s3->directives, $self->{registry} // ''
        if $s3->can('directives');

    my $prefix = $s3->can('prefix') ? $s3->prefix : '';
    $prefix = $self->{prefix} if defined $self->{prefix};

    return join "\n", 'registry_s3_bucket ' . $s3->bucket . ';',
        'registry_s3_region ' . $s3->region . ';',
        'registry_s3_endpoint ' . ($self->{endpoint} // $s3->endpoint) . ';',
        'registry_s3_path_style ' . $s3->path_style . ';',
        length $prefix ? "registry_s3_prefix $prefix;" : (),
        $self->{registry} // '';
}


sub environment {
    my ($self) = @_;

    my $s3 = $self->{s3};

    # nobody looks for this machine's own identity
    return clean_env(AWS_EC2_METADATA_DISABLED => 'true',
        $s3 && $s3->can('access_key') ? (AWS_ACCESS_KEY_ID => $s3->access_key,
            AWS_SECRET_ACCESS_KEY => $s3->secret_key,
            defined $s3->token ? (AWS_SESSION_TOKEN => $s3->token) : ()) : (),
        %{$self->{env} // {}});
}


sub dir { $_[0]{dir} }


sub port {
    my ($self, $name) = @_;
    return $self->{ports}{$name // ''} //= free_port();
}

###############################################################################

sub command {
    my ($self, @more) = @_;

    return [@{$self->{wrap} // []}, nginx_binary(), '-p', "$self->{dir}/", '-c',
        "$self->{dir}/nginx.conf", '-e', "$self->{dir}/error.log", @more];
}


sub start {
    my ($self) = @_;

    $self->mark();

    my ($status, $output) = run_command($self->command(),
        env => $self->environment());

    append_file("$self->{dir}/stderr", $output);
    die "nginx does not start:\n$output\n" if $status;

    $self->{pid} = wait_for(sub { $self->read_pid() })
        or die "nginx wrote no pid file\n";
    wait_for(sub { $self->workers() });

    # the question at start is not what tests count

    if ($self->{s3} && ($self->{probe} // 1)
        && $self->wait_log(qr/registry: (?:bucket|directory) /, 5))
    {
        $self->{s3}->forget();
    }

    return $self;
}


# Exit status of "nginx -t", and what it said.

sub test_conf {
    my ($self) = @_;

    # nginx leaves the memory of a configuration that it refuses

    my $env = $self->environment();
    $env->{ASAN_OPTIONS} = join ':', grep { length }
        $env->{ASAN_OPTIONS} // '', 'detect_leaks=0';

    my ($status, $output) = run_command($self->command('-t'), env => $env);

    # refusals are what is tested, reports of sanitizers are not
    $self->{tested} .= $output;
    return ($status, $output);
}


sub read_pid {
    my ($self) = @_;
    return read_file("$self->{dir}/nginx.pid") =~ /^(\d+)\n/ ? $1 : 0;
}


sub stop {
    my ($self, $signal) = @_;

    my %pids = map { $_ => 1 } grep { $_ } $self->{pid}, $self->read_pid(),
        @{$self->{old} // []};

    delete $self->{pid};

    for my $pid (keys %pids) {
        next if gone($pid);

        kill $signal // 'QUIT', $pid;
        next if wait_for(sub { gone($pid) }, sanitized() ? 60 : 5);

        # connections that nobody ends
        kill 'TERM', $pid;
        next if wait_for(sub { gone($pid) }, 10);

        push @{$self->{problems}}, "nginx $pid did not end";
        kill 'KILL', $self->workers($pid), $pid;
        wait_for(sub { gone($pid) }, 5);
    }

    unlink "$self->{dir}/nginx.pid";
    return $self;
}


sub restart { my ($self) = @_;
    return $self->stop()->start();
}


# No process, or one that nobody has waited for; its first thread may have
# ended while others still hold its sockets.

sub gone {
    my ($pid) = @_;

    return 1 unless kill 0, $pid;
    return 0 if read_file("/proc/$pid/stat") !~ /^\d+ \(.*\) Z/s;

    my @threads = glob "/proc/$pid/task/*";
    return @threads <= 1 ? 1 : 0;
}


# Worker processes, without those that are about to end.

sub workers {
    my ($self, $master) = @_;
    return $self->processes($master, qr/worker process(?! is shutting down)/);
}


# All processes of a master, the managers of caches among them.

sub processes {
    my ($self, $master, $title) = @_;

    $master //= $self->{pid};
    my @pids;

    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($pid, $parent) = read_file($stat) =~ /^(\d+) \(.*\) \S (\d+) /s
            or next;
        next if $parent != $master;
        push @pids, $pid if read_file("/proc/$pid/cmdline")
            =~ ($title // qr//);
    }

    # as a number, too: how many
    @pids = sort { $a <=> $b } @pids;
    return @pids;
}


# kB of memory that a worker has of its own; the most that it ever had.

sub worker_memory {
    my ($self, $pid) = @_;

    $pid //= ($self->workers())[0];
    my $status = read_file("/proc/$pid/status");
    my ($anon) = $status =~ /^RssAnon:\s+(\d+)/m;
    return $anon;
}


sub reload {
    my ($self) = @_;

    my %old = map { $_ => 1 } $self->workers();

    kill 'HUP', $self->{pid};
    wait_for(sub { grep { !$old{$_} } $self->workers() },
        sanitized() ? 60 : 10)
        or die "nginx does not reload\n";
    return $self;
}


# A new binary takes over; the old one ends with its last connection.

sub upgrade {
    my ($self) = @_;

    my $old = $self->{pid};

    kill 'USR2', $old;
    wait_for(sub { my $pid = $self->read_pid(); $pid && $pid != $old
        && -e "$self->{dir}/nginx.pid.oldbin" }, sanitized() ? 60 : 10)
        or die "nginx is not upgraded\n";

    $self->{pid} = $self->read_pid();
    push @{$self->{old}}, $old;
    wait_for(sub { $self->workers() });

    kill 'QUIT', $old;
    return $old;
}

###############################################################################

sub client {
    my ($self, %opt) = @_;
    return Test::Registry::Client->new(port => $self->port, %opt);
}


sub get { my ($self, @args) = @_; return $self->client->get(@args) }
sub head { my ($self, @args) = @_; return $self->client->head(@args) }
sub request { my ($self, @args) = @_; return $self->client->request(@args) }

###############################################################################

# The error log since mark().

sub mark {
    my ($self) = @_;

    $self->{mark} = -s "$self->{dir}/error.log" // 0;
    return $self;
}


sub log {
    my ($self) = @_;
    return substr read_file("$self->{dir}/error.log"), $self->{mark};
}


sub log_count {
    my ($self, $pattern) = @_;
    return scalar grep { /$pattern/ } split /\n/, $self->log();
}


sub wait_log {
    my ($self, $pattern, $timeout) = @_;
    return wait_for(sub { $self->log() =~ $pattern }, $timeout);
}


# The access log: hashes by the names of its variables, without
# "registry_".

sub access {
    my ($self) = @_;

    return map {
        my $entry = JSON::PP->new->utf8->decode($_);
        +{ map { s/^registry_//r => $entry->{$_} } keys %$entry }
    } read_lines("$self->{dir}/access.log");
}


# The last line of it; it is written after the client has its answer.

sub last_access {
    my ($self, $n) = @_;

    wait_for(sub { $self->access() >= $n }, 2) if $n;
    return ($self->access())[-1] // {};
}


# Lines of the error log that would fail the test otherwise.

sub expect_log {
    my ($self, @patterns) = @_;

    push @{$self->{expected}}, @patterns;
    return $self;
}


sub finish {
    $_->stop() for @Instances;

    for my $self (@Instances) {
        my $log = read_file("$self->{dir}/error.log")
            . read_file("$self->{dir}/stderr");
        my $bad = join "\n", @{$self->{problems} // []}, grep {
            my $line = $_;
            !grep { $line =~ $_ } @{$self->{expected}}
        } $log =~ /^(.*\[(?:alert|crit|emerg)\].*)$/mg;

        Test::More::is($bad, '', 'no alert and no crit in the error log');

        my $sanitizer = join "\n",
            ($log . ($self->{tested} // ''))
                =~ /^(.*(?:Sanitizer|runtime error:).*)$/mg;

        Test::More::is($sanitizer, '', 'no report of a sanitizer');
    }

    Test::More::done_testing();
    return;
}


END {
    if ($$ == $Owner) {
        my $status = $?;
        $_->stop('TERM') for grep { $_->{pid} } @Instances;
        $? = $status;
    }
}

###############################################################################

1;

###############################################################################
