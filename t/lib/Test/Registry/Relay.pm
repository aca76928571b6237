package Test::Registry::Relay;

# Copyright (C) The ngx_registry_module authors

# A TCP relay that keeps what the client has sent, to see what a server gets
# that must not get anything.

###############################################################################

use warnings;
use strict;

use IO::Select;
use IO::Socket::INET;
use POSIX ();

use Test::Registry::Util qw/
    temp_dir free_port spawn wait_port read_file append_file
/;

my $Count = 0;

###############################################################################

sub new {
    my ($class, $to) = @_;

    my $self = bless {
        to => $to, port => free_port(), dir => temp_dir('relay-' . $Count++)
    }, $class;

    $self->{process} = spawn(sub { $self->run() }, log => "$self->{dir}/log");
    wait_port($self->{port}) or die "relay does not start\n";

    # the connection that waited for the port counts for nothing
    unlink glob "$self->{dir}/sent.*";

    return $self;
}


sub port { $_[0]{port} }


# What clients have sent, over all connections.

sub sent {
    my ($self) = @_;
    return join '', map { read_file($_) } glob "$self->{dir}/sent.*";
}


sub connections {
    my ($self) = @_;
    return scalar(() = glob "$self->{dir}/sent.*");
}


# Bytes of TLS records of the type "application data" in the connection that
# had most of them.  In TLS 1.3 the end of a handshake and an alert look like
# that, too, and have less than 200 bytes.

sub data_bytes {
    my ($self) = @_;

    my $most = 0;

    for my $file (glob "$self->{dir}/sent.*") {
        my $bytes = read_file($file);
        my $n = 0;

        while (length $bytes >= 5) {
            my ($type, undef, $length) = unpack 'C n n', $bytes;
            $n += $length if $type == 23;
            substr $bytes, 0, 5 + $length, '';
        }

        $most = $n if $n > $most;
    }

    return $most;
}

###############################################################################

sub run {
    my ($self) = @_;

    my $listener = IO::Socket::INET->new(Proto => 'tcp', Listen => 32,
        LocalAddr => '127.0.0.1', LocalPort => $self->{port}, ReuseAddr => 1)
        or die "listen: $!\n";

    $SIG{CHLD} = 'IGNORE';
    my $n = 0;

    while (1) {
        my $client = $listener->accept() or next;
        $n++;

        my $pid = fork() // next;
        next if $pid;

        close $listener;
        $self->relay($client, "$self->{dir}/sent.$n");
        POSIX::_exit(0);
    }
}


sub relay {
    my ($self, $client, $file) = @_;

    append_file($file, '');

    my $server = IO::Socket::INET->new(Proto => 'tcp',
        PeerAddr => '127.0.0.1', PeerPort => $self->{to}) or return;

    my $select = IO::Select->new($client, $server);

    while (my @ready = $select->can_read()) {
        for my $from (@ready) {
            my $data;
            sysread $from, $data, 65536 or return;

            append_file($file, $data) if $from == $client;
            my $to = $from == $client ? $server : $client;
            my $sent = 0;

            while ($sent < length $data) {
                my $n = syswrite $to, $data, length($data) - $sent, $sent;
                return unless $n;
                $sent += $n;
            }
        }
    }

    return;
}

###############################################################################

1;

###############################################################################
