package Test::Registry::DNS;

# Copyright (C) The ngx_registry_module authors

# A name server that a test can change and stop: every name below the domain
# is one address, all other names do not exist.

###############################################################################

use warnings;
use strict;

use IO::Socket::INET;
use Socket qw/ inet_aton inet_pton AF_INET6 /;

use Test::Registry::Util qw/
    temp_dir free_port spawn write_file read_file append_file read_lines
    wait_for
/;

# free_port() keeps its numbers on 127.0.0.1

use constant HOST => '127.0.0.53';

my $Count = 0;
my $Heard = 0;

###############################################################################

# domain, address, ttl; host and port, where it is asked; lose (questions that
# it does not hear at first)

sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        domain => 's3.test', ttl => 1, host => HOST, port => free_port(),
        dir => temp_dir('dns-' . $Count++), %opt
    }, $class;

    $self->answer($opt{address} // '127.0.0.1');
    write_file("$self->{dir}/queries", '');
    $self->start();

    return $self;
}


# for "resolver" in nginx

sub address { "$_[0]{host}:$_[0]{port}" }


sub start {
    my ($self) = @_;

    write_file("$self->{dir}/ready", '');
    $self->{process} = spawn(sub { $self->run() }, log => "$self->{dir}/log");
    wait_for(sub { -s "$self->{dir}/ready" })
        or die 'name server does not start: ' . read_file("$self->{dir}/log");
    return $self;
}


sub stop {
    my ($self) = @_;

    (delete $self->{process})->stop('KILL') if $self->{process};
    return $self;
}


# From now on names have this address, or these, with blanks between them; an
# empty one: there is no such name, "silence": no answer.

sub answer {
    my ($self, $address) = @_;

    write_file("$self->{dir}/address", $address);
    return $self;
}


# Names that were asked for, with their type: "A images.s3.test".

sub queries { return read_lines("$_[0]{dir}/queries") }

###############################################################################

sub run {
    my ($self) = @_;

    my $socket = IO::Socket::INET->new(Proto => 'udp',
        LocalAddr => $self->{host}, LocalPort => $self->{port}) or die "bind: $!\n";

    write_file("$self->{dir}/ready", 'ready');

    while (my $peer = recv $socket, my $query, 1024, 0) {
        my $reply = $self->reply($query);
        send $socket, $reply, 0, $peer if defined $reply;
    }

    return;
}


sub reply {
    my ($self, $query) = @_;

    my ($id, $flags, $count) = unpack 'n3', $query;
    my ($offset, @labels) = (12);

    while ((my $n = ord substr $query, $offset, 1) > 0) {
        push @labels, substr $query, $offset + 1, $n;
        $offset += $n + 1;
    }

    my $question = substr $query, 12, $offset + 5 - 12;
    my $type = unpack 'n', substr $query, $offset + 1, 2;
    my $name = lc join '.', @labels;
    my $address = read_file("$self->{dir}/address");

    append_file("$self->{dir}/queries", ($type == 1 ? 'A' : $type == 28
        ? 'AAAA' : $type) . " $name\n");

    return if $address eq 'silence' || ($self->{lose} // 0) > $Heard++;

    my $known = length $address && $name =~ /(?:^|\.)\Q$self->{domain}\E$/;
    my @data;

    for (split ' ', $known ? $address : '') {
        push @data, inet_aton($_) if $type == 1 && !/:/;
        push @data, inet_pton(AF_INET6, $_) if $type == 28 && /:/;
    }

    return pack('n6', $id, $known ? 0x8180 : 0x8183, 1, scalar @data, 0, 0)
        . $question . join '', map { pack('n n n N n', 0xc00c, $type, 1,
            $self->{ttl}, length $_) . $_ } @data;
}

###############################################################################

1;

###############################################################################
