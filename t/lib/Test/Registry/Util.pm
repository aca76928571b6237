package Test::Registry::Util;

# Copyright (C) The ngx_registry_module authors

# What all parts of the library need: a temporary directory, ports, files,
# waiting by condition, processes that end with the test, tools of the machine.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;
use Cwd qw/ abs_path /;
use File::Basename qw/ dirname /;
use File::Path qw/ make_path /;
use File::Temp ();
use IO::Socket::INET;
use POSIX qw/ WNOHANG _exit /;
use Test::More ();
use Time::HiRes qw/ sleep time /;

our @EXPORT_OK = qw/
    root_dir temp_dir remove_dir free_port write_file append_file read_file read_lines
    wait_for wait_port port_open spawn run_command find_tool need need_inside
    skip_or_fail uri_escape uri_unescape random_bytes clean_env
/;

###############################################################################

my $Root = abs_path(dirname(__FILE__) . '/../../../..');
my $Owner = $$;             # processes forked by a test clean nothing up
my ($Temp, @Locks, @Processes);

# Whoever runs the tests may have keys or a proxy in the environment; a test
# says itself what it wants.

delete @ENV{grep { /^AWS_/ || /^(https?|all|no)_proxy$/i } keys %ENV};

$SIG{INT} = $SIG{TERM} = $SIG{HUP} = sub { exit 1 };
$SIG{PIPE} = 'IGNORE';


sub root_dir { return $Root }


# The directory of this test file, removed at its end.  0755, since workers of
# nginx may run as somebody else.

sub temp_dir {
    my ($name) = @_;

    if (!defined $Temp) {
        $Temp = File::Temp->newdir('registry-test-XXXXXX', TMPDIR => 1,
            CLEANUP => 0);
        chmod 0755, "$Temp";
    }

    return "$Temp" unless defined $name;

    my $dir = "$Temp/$name";
    make_path($dir);
    return $dir;
}


# What takes much room goes before the end of the test.

sub remove_dir { my ($name) = @_;
    File::Path::remove_tree("$Temp/$name", { safe => 0 })
        if defined $Temp && !$ENV{TEST_REGISTRY_LEAVE};
    return;
}


# A free port below the range of outgoing connections.  An UDP socket of the
# same number keeps it ours against tests that run at the same time.

sub free_port {
    my $base = 12000;
    my $span = 18000;
    my $n = int(rand($span));

    for (1 .. $span) {
        my $port = $base + ($n++ % $span);

        my $lock = IO::Socket::INET->new(Proto => 'udp',
            LocalAddr => '127.0.0.1', LocalPort => $port) or next;
        my $try = IO::Socket::INET->new(Proto => 'tcp', Listen => 1,
            LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
            or next;

        close $try;
        push @Locks, $lock;
        return $port;
    }

    die "no free port\n";
}

###############################################################################

sub write_file {
    my ($path, $content) = @_;

    make_path(dirname($path));
    open my $fh, '>:raw', $path or die "$path: $!\n";
    print {$fh} $content;
    close $fh or die "$path: $!\n";
    return $path;
}


sub append_file {
    my ($path, $content) = @_;

    open my $fh, '>>:raw', $path or die "$path: $!\n";
    syswrite $fh, $content;
    close $fh;
    return;
}


sub read_file {
    my ($path) = @_;

    open my $fh, '<:raw', $path or return '';
    local $/;
    my $content = <$fh>;
    close $fh;
    return $content // '';
}


sub read_lines { return split /\n/, read_file(@_) }


sub uri_escape {
    my ($s, $keep) = @_;

    $keep //= '';
    $s =~ s/([^A-Za-z0-9\-_.~\Q$keep\E])/sprintf '%%%02X', ord $1/ge;
    return $s;
}


sub uri_unescape {
    my ($s) = @_;

    $s =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return $s;
}


# Bytes that do not compress, the same ones for the same seed.

sub random_bytes {
    my ($length, $seed) = @_;

    require Digest::SHA;

    my $bytes = '';
    my $n = 0;

    while (length $bytes < $length) {
        $bytes .= Digest::SHA::sha512("$seed/" . $n++);
    }

    return substr $bytes, 0, $length;
}

###############################################################################

# Waits until the condition holds; returns what it gave, or nothing after
# $timeout seconds.

sub wait_for {
    my ($condition, $timeout) = @_;

    my $end = time() + ($timeout // 10);
    my $pause = 0.002;

    while (1) {
        my $result = $condition->();
        return $result if $result;
        return if time() > $end;

        sleep $pause;
        $pause *= 1.5 if $pause < 0.05;
    }
}


sub port_open {
    my ($port, $host) = @_;

    my $s = IO::Socket::INET->new(Proto => 'tcp',
        PeerAddr => $host // '127.0.0.1', PeerPort => $port, Timeout => 1)
        or return 0;
    close $s;
    return 1;
}


sub wait_port { my ($port, $timeout, $host) = @_;
    return wait_for(sub { port_open($port, $host) }, $timeout);
}

###############################################################################

# A daemon that ends with the test.  Options: env (the whole environment),
# log (file for stdout and stderr), stdout, stderr, dir.

sub spawn {
    my ($command, %opt) = @_;

    my $pid = fork() // die "fork: $!\n";

    if ($pid == 0) {
        setpgrp 0, 0;
        child_exec($command, %opt);
    }

    my $process = bless {
        pid => $pid, name => ref $command eq 'ARRAY' ? $command->[0] : 'perl',
        log => $opt{log} // $opt{stderr}, owner => $$
    }, 'Test::Registry::Util::Process';

    push @Processes, $process;
    return $process;
}


sub child_exec {
    my ($command, %opt) = @_;

    $SIG{$_} = 'DEFAULT' for qw/ INT TERM HUP PIPE /;

    my $out = $opt{log} // $opt{stdout} // '/dev/null';
    my $err = $opt{log} // $opt{stderr} // '/dev/null';

    open STDIN, '<', $opt{stdin} // '/dev/null';
    open STDOUT, '>>', $out;
    open STDERR, '>>', $err;
    chdir $opt{dir} if $opt{dir};
    %ENV = %{$opt{env}} if $opt{env};

    if (ref $command eq 'CODE') {
        eval { $command->(); 1 } or print STDERR $@;
        _exit(0);
    }

    no warnings 'exec';
    exec { $command->[0] } @$command;
    print STDERR "$command->[0]: $!\n";
    _exit(127);
}


# Runs a command to its end: exit status, then its output.  After timeout
# seconds it is killed, status 124.

sub run_command {
    my ($command, %opt) = @_;

    my $log = temp_dir() . "/command.$$." . int(rand(1e9));
    my $timeout = delete $opt{timeout} // 60;
    my $process = spawn($command, %opt, log => $log);

    my $done = wait_for(sub { !$process->alive }, $timeout);
    my $status = $done ? $process->{status} : 124;

    $process->stop('KILL') unless $done;
    @Processes = grep { $_ != $process } @Processes;

    my $output = read_file($log);
    unlink $log;

    return wantarray ? ($status, $output) : $status;
}


# For programs started by a test: what a login has, and no more.

sub clean_env {
    my (%more) = @_;

    return {
        PATH => "$ENV{PATH}:/usr/sbin:/sbin", HOME => temp_dir('home'),
        LANG => 'C.UTF-8', TMPDIR => temp_dir('tmp'),
        (map { $_ => $ENV{$_} }
            grep { /^(?:ASAN|UBSAN|LSAN|TSAN)_OPTIONS$/ } keys %ENV),
        %more
    };
}

###############################################################################

# Test programs that Debian lacks lie under the build directory, or where
# TEST_REGISTRY_TOOLS says.

sub find_tool {
    my ($name) = @_;

    my $dirs = join ':', grep { defined } $ENV{TEST_REGISTRY_TOOLS},
        "$Root/build/tools/bin", "$Root/build/tools", "$Root/build/bin",
        $ENV{PATH}, '/usr/sbin:/sbin';

    for my $dir (split /:/, $dirs) {
        return "$dir/$name" if length $dir && -f "$dir/$name"
            && -x "$dir/$name";
    }

    return;
}


# Skips the whole file, unless the run must not skip anything.

sub skip_file {
    my ($reason) = @_;

    if ($ENV{REGISTRY_TEST_NO_SKIP}) {
        Test::More::fail("must not be skipped: $reason");
        Test::More::done_testing();
        exit 1;
    }

    Test::More::plan(skip_all => $reason);
}


sub need {
    for my $name (@_) {
        my $missing = missing($name) or next;
        skip_file($missing);
    }

    return 1;
}


# What is missing of: root, netns (namespaces of our own), a Perl module, a
# program.

sub missing {
    my ($name) = @_;

    if ($name eq 'root') {
        return $> == 0 ? undef : 'not run as root';
    }

    if ($name eq 'netns') {
        my $status = run_command([qw/ unshare -mn true /]);
        return $status == 0 ? undef : 'no namespaces of our own here';
    }

    if ($name eq 'curl-http2') {
        my ($status, $output) = run_command([qw/ curl --version /]);
        return $status == 0 && $output =~ /\bHTTP2\b/
            ? undef : 'no curl with HTTP/2';
    }

    if ($name =~ /::/) {
        return eval "require $name; 1" ? undef : "no Perl module $name";
    }

    return find_tool($name) ? undef : "no $name on this machine";
}


# Inside a file: skips $n tests in the SKIP block around the call.

sub need_inside {
    my ($name, $n) = @_;

    my $missing = missing($name) or return 1;
    skip_or_fail($missing, $n);
}


sub skip_or_fail {
    my ($reason, $n) = @_;

    if ($ENV{REGISTRY_TEST_NO_SKIP}) {
        Test::More::fail("must not be skipped: $reason");
        no warnings 'exiting';
        last SKIP;
    }

    Test::More::skip($reason, $n);
}

###############################################################################

sub clean_up {
    $_->stop for reverse splice @Processes;

    return unless defined $Temp;

    if ($ENV{TEST_REGISTRY_LEAVE}) {
        Test::More::diag("left in $Temp");
    } else {
        File::Path::remove_tree("$Temp", { safe => 0 });
    }

    undef $Temp;
    return;
}


END {
    if ($$ == $Owner) {
        my $status = $?;
        clean_up();
        $? = $status;
    }
}

###############################################################################

package Test::Registry::Util::Process;

use POSIX qw/ WNOHANG /;

sub alive {
    my ($self) = @_;

    return 0 if defined $self->{status};

    my $pid = waitpid $self->{pid}, WNOHANG;
    return 1 if $pid == 0;

    $self->{status} = $pid > 0 ? ($? & 127 ? 128 + ($? & 127) : $? >> 8) : 255;
    return 0;
}


sub kill { my ($self, $signal) = @_;
    return $self->alive ? CORE::kill($signal, $self->{pid}) : 0;
}


# Ends the process, and the group of processes that it leads.

sub stop {
    my ($self, $signal, $timeout) = @_;

    return $self->{status} if $self->{owner} != $$;

    my $was = $self->alive;

    CORE::kill($signal // 'TERM', -$self->{pid}) if $was;

    if ($was && !Test::Registry::Util::wait_for(sub { !$self->alive },
        $timeout // 5))
    {
        CORE::kill('KILL', -$self->{pid});
        Test::Registry::Util::wait_for(sub { !$self->alive }, 5);
    }

    CORE::kill('KILL', -$self->{pid}) if !$was && !$self->{ended};
    $self->{ended} = 1;

    return $self->{status};
}

###############################################################################

1;

###############################################################################
