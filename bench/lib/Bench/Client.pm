package Bench::Client;

# Copyright (C) The ngx_registry_module authors

# The clients: curl for bytes, wrk for requests.  An answer that is not what
# was asked for ends the run, for its figures would mean nothing.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;
use Time::HiRes qw/ time sleep /;

use Test::Registry::Util qw/
    temp_dir find_tool spawn run_command clean_env write_file read_file
/;

our @EXPORT_OK = qw/
    download crowd hosts first_bytes wrk digest_of timed
/;

our $ACCEPT = 'Accept: application/vnd.oci.image.manifest.v1+json';

my $Count = 0;

###############################################################################

# One after the other on one connection: seconds, and seconds to the first
# byte of the first.

sub download {
    my ($size, @urls) = @_;

    my @transfers = transfers(curl(urls => \@urls), $size * @urls);
    my $seconds = 0;
    $seconds += $_->{seconds} for @transfers;

    return ($seconds, $transfers[0]{first});
}


# Seconds to the first byte of each.

sub first_bytes {
    my ($size, @urls) = @_;

    return map { $_->{first} }
        transfers(curl(urls => \@urls), $size * @urls);
}


# All at once, each on its own connection, from two processes.  rate: bytes a
# second of each; sample is called meanwhile.  Returns seconds until the last
# has ended.

sub crowd {
    my ($size, $urls, %opt) = @_;

    my @halves = ([], []);
    push @{$halves[$_ % 2]}, $urls->[$_] for 0 .. $#$urls;

    my @curls = map { curl(urls => $_, parallel => scalar @$_,
        rate => $opt{rate}, background => 1) } grep { @$_ } @halves;

    while (grep { $_->{process}->alive } @curls) {
        $opt{sample}->() if $opt{sample};
        sleep 0.1;
    }

    my @transfers = map { transfers($_, $size * $_->{expected}) } @curls;
    my ($most) = sort { $b <=> $a } map { $_->{seconds} } @transfers;

    return $most;
}


# What is at all these addresses, $bytes together, pulled on several hosts at
# the same moment, three at a time as Docker does; wraps: commands that run
# curl on a host.  Returns seconds until the last host has ended.

sub hosts {
    my ($bytes, $urls, @wraps) = @_;

    my $begun = time();
    my @curls = map { curl(urls => $urls, parallel => 3, background => 1,
        wrap => $_) } @wraps;

    sleep 0.02 while grep { $_->{process}->alive } @curls;

    my $seconds = time() - $begun;

    transfers($_, $bytes) for @curls;
    return $seconds;
}

###############################################################################

# urls; parallel: how many at once; rate; wrap: a command that runs it;
# background: returns at once, with the process

sub curl {
    my (%opt) = @_;

    my $base = temp_dir('curl') . '/' . ++$Count;

    write_file("$base.conf", join '',
        map { qq(url = "$_"\noutput = "/dev/null"\n) } @{$opt{urls}});

    my @command = (@{$opt{wrap} // []}, find_tool('curl'), '-sS', '-L', '-K', "$base.conf",
        '-H', $ACCEPT, '-w',
        '%{http_code} %{size_download} %{time_total} %{time_starttransfer}\n',
        $opt{parallel} ? ('-Z', '--parallel-immediate', '--parallel-max',
            $opt{parallel}) : (),
        $opt{rate} ? ('--limit-rate', $opt{rate}) : ());

    my $curl = { base => $base, expected => scalar @{$opt{urls}} };

    $curl->{process} = spawn(\@command, stdout => "$base.out",
        stderr => "$base.err", env => clean_env());

    if (!$opt{background}) {
        sleep 0.02 while $curl->{process}->alive;
    }

    return $curl;
}


# What it did; all of it must have succeeded, and be $bytes together.

sub transfers {
    my ($curl, $bytes) = @_;

    my $status = $curl->{process}{status};
    my $errors = read_file("$curl->{base}.err");
    my @transfers;

    for (split /\n/, read_file("$curl->{base}.out")) {
        my ($code, $size, $seconds, $first) = split / /;

        die "curl: status $code, $size bytes\n$errors" if $code != 200;
        push @transfers, { seconds => $seconds, first => $first };
        $bytes -= $size;
    }

    die "curl: exit status $status, " . @transfers . ' answers of '
        . "$curl->{expected}, $bytes bytes missing\n$errors"
        if $status || @transfers != $curl->{expected} || $bytes;

    unlink glob "$curl->{base}.*";
    return @transfers;
}


# The digest of what is at an address, to see that it is not wrong and fast.

sub digest_of {
    my ($url) = @_;

    my ($status, $output) = run_command(['sh', '-c',
        'curl -sSfL "$1" | openssl dgst -sha256 -r', 'sh', $url],
        env => clean_env(), timeout => 600);

    return $output =~ /^([0-9a-f]{64}) / ? "sha256:$1" : $output;
}

###############################################################################

# Requests a second, and milliseconds that 99 of 100 are below.  method: HEAD

sub wrk {
    my ($url, %opt) = @_;

    my @script;

    if ($opt{method}) {
        @script = ('-s', write_file(temp_dir('wrk') . '/method.lua',
            "wrk.method = \"$opt{method}\"\n"));
    }

    my ($status, $output) = run_command([find_tool('wrk'), '-t', 2,
        '-c', $opt{connections} // 32, '-d', "$opt{seconds}s", '--latency',
        '-H', $ACCEPT, @script, $url], env => clean_env(),
        timeout => $opt{seconds} + 30);

    my ($rate) = $output =~ m{^Requests/sec:\s+([\d.]+)}m;
    my ($p99, $unit) = $output =~ /^\s+99%\s+([\d.]+)(us|ms|s)/m;

    die "wrk $url:\n$output\n" if $status || !defined $rate || !defined $unit
        || $output =~ /Non-2xx|Socket errors/;

    return ($rate, $p99 * { us => 0.001, ms => 1, s => 1000 }->{$unit});
}


# Seconds that a command takes; it must succeed.

sub timed {
    my ($code) = @_;

    my $begun = time();
    my ($status, $output) = $code->();
    my $seconds = time() - $begun;

    die "$output\n" if $status;
    return $seconds;
}

###############################################################################

1;

###############################################################################
