package Test::Registry::Response;

# Copyright (C) The ngx_registry_module authors

# One answer, parsed as its bytes come in.

###############################################################################

use warnings;
use strict;

use Digest::SHA;
use JSON::PP ();
use Time::HiRes qw/ time /;

###############################################################################

sub new {
    my ($class, %opt) = @_;

    return bless {
        method => $opt{method}, on_data => $opt{on_data},
        sha => $opt{digest} ? Digest::SHA->new(256) : undef,
        state => 'head', buffer => '', body => '', length => 0,
        head => '', headers => [], status => 0, begun => time()
    }, $class;
}


sub status { $_[0]{status} }
sub body { $_[0]{body} }
sub length { $_[0]{length} }        # bytes of the body that came
sub head { $_[0]{head} }            # status line and headers as they came
sub error { $_[0]{error} // '' }    # timeout, cut, aborted, connect: ...
sub extra { $_[0]{extra} // '' }    # bytes behind the end
sub ended { $_[0]{state} eq 'done' || defined $_[0]{error} }
sub complete { $_[0]{state} eq 'done' && !defined $_[0]{error} }
sub seconds { ($_[0]{finished} // time()) - $_[0]{begun} }
sub first_byte { ($_[0]{first} // time()) - $_[0]{begun} }


sub sha256 {
    my ($self) = @_;

    return $self->{hex} //= $self->{sha} ? $self->{sha}->hexdigest
        : Digest::SHA::sha256_hex($self->{body});
}


# All lines of a header as one value, undef if there is none.

sub header {
    my ($self, $name) = @_;

    my @values = $self->header_lines($name);
    return @values ? join ', ', @values : undef;
}


sub header_lines {
    my ($self, $name) = @_;
    return map { $_->[1] } grep { lc $_->[0] eq lc $name }
        @{$self->{headers}};
}


# Headers that do not depend on time or connection, sorted, for comparing
# answers.

sub stable_headers {
    my ($self) = @_;

    return join "\n", $self->status, sort map { "$_->[0]: $_->[1]" }
        grep { $_->[0] !~ /^(Date|Connection|Last-Modified)$/i }
        @{$self->{headers}};
}


sub json {
    my ($self) = @_;
    return eval { JSON::PP->new->utf8->decode($self->{body}) };
}


# The first error of an error document; nothing unless it is exactly of the
# form that the specification knows.

sub oci_error {
    my ($self) = @_;

    my $json = $self->json();

    return {} if ($self->header('Content-Type') // '') ne 'application/json'
        || ref $json ne 'HASH' || join(',', keys %$json) ne 'errors'
        || ref $json->{errors} ne 'ARRAY' || !@{$json->{errors}};

    my $error = $json->{errors}[0];

    return {} if ref $error ne 'HASH'
        || ($error->{code} // '') !~ /^[A-Z_]+$/
        || grep { !/^(code|message|detail)$/ } keys %$error;

    return $error;
}


sub code { $_[0]->oci_error->{code} // '' }
sub message { $_[0]->oci_error->{message} // '' }

###############################################################################

sub feed {
    my ($self, $data) = @_;

    $self->{first} //= time();
    $self->{buffer} .= $data;

    1 while CORE::length($self->{buffer}) && $self->{state} ne 'done'
        && !defined $self->{error} && $self->step();

    if ($self->{state} eq 'done' && CORE::length $self->{buffer}) {
        $self->{extra} = ($self->{extra} // '') . $self->{buffer};
        $self->{buffer} = '';
    }

    return;
}


# True if there may be more to do with what is in the buffer.

sub step {
    my ($self) = @_;

    my $state = $self->{state};

    if ($state eq 'head') {
        return 0 unless $self->{buffer} =~ s/^(.*?)\r\n\r\n//s;
        return $self->parse_head($1);
    }

    if ($state eq 'close') {
        $self->take(CORE::length $self->{buffer});
        return 0;
    }

    if ($state eq 'data') {
        my $n = CORE::length $self->{buffer};
        $n = $self->{left} if $n > $self->{left};

        $self->take($n);
        $self->{left} -= $n;
        return 1 if $self->{left};

        return $self->finish() unless $self->{chunked};
        $self->{state} = 'end of chunk';
        return 1;
    }

    if ($state eq 'end of chunk') {
        return 0 if CORE::length $self->{buffer} < 2;
        return $self->fail('malformed chunk')
            unless $self->{buffer} =~ s/^\r\n//;
        $self->{state} = 'chunk';
        return 1;
    }

    if ($state eq 'chunk') {
        return 0 unless $self->{buffer} =~ /\n/;
        return $self->fail('malformed chunk')
            unless $self->{buffer} =~ s/^([0-9A-Fa-f]+)[^\r\n]*\r\n//;

        $self->{left} = hex $1;
        $self->{state} = $self->{left} ? 'data' : 'trailer';
        return 1;
    }

    # the empty line behind the last chunk

    return 0 unless $self->{buffer} =~ s/^(?:[^\r\n]+\r\n)*\r\n//;
    return $self->finish();
}


sub parse_head {
    my ($self, $head) = @_;

    return $self->fail('malformed status line')
        unless $head =~ m{^HTTP/1\.[01] (\d{3}) ?([^\r\n]*)};
    return 1 if $1 >= 100 && $1 < 200;

    $self->{status} = $1;
    $self->{head} = $head;

    my ($line, @lines) = split /\r\n/, $head;

    for (@lines) {
        return $self->fail("malformed header \"$_\"")
            unless /^([!#\$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/;
        push @{$self->{headers}}, [ $1, $2 ];
    }

    my $length = $self->header('Content-Length');
    $self->{chunked} =
        ($self->header('Transfer-Encoding') // '') =~ /\bchunked$/i;

    return $self->fail('both Content-Length and chunked')
        if $self->{chunked} && defined $length;
    return $self->fail("malformed Content-Length \"$length\"")
        if defined $length && $length !~ /^\d+$/;

    return $self->finish() if $self->{method} eq 'HEAD'
        || $self->{status} == 204 || $self->{status} == 304;

    if ($self->{chunked}) {
        $self->{state} = 'chunk';
    } elsif (!defined $length) {
        $self->{state} = 'close';
    } elsif ($length == 0) {
        return $self->finish();
    } else {
        $self->{left} = $length;
        $self->{state} = 'data';
    }

    return 1;
}


sub take {
    my ($self, $n) = @_;

    my $data = substr $self->{buffer}, 0, $n, '';

    $self->{length} += $n;
    $self->{sha} ? $self->{sha}->add($data) : ($self->{body} .= $data);
    $self->{on_data}->($data) if $self->{on_data};
    return;
}


sub finish {
    my ($self) = @_;

    $self->{state} = 'done';
    $self->{finished} = time();
    return 0;
}


sub fail {
    my ($self, $error) = @_;

    $self->{error} //= $error;
    $self->{finished} //= time();
    return 0;
}


sub eof {
    my ($self) = @_;
    return $self->{state} eq 'close' ? $self->finish() : $self->fail('cut');
}


sub reusable {
    my ($self) = @_;

    return $self->complete && !CORE::length($self->extra)
        && ($self->header('Connection') // '') !~ /close/i;
}


# An answer that another program has received.

sub set {
    my ($self, $head, $body, $error) = @_;

    my ($line, @lines) = split /\r?\n/, $head;

    ($self->{status}) = ($line // '') =~ m{^HTTP/\S+ (\d{3})};
    $self->{status} //= 0;
    $self->{head} = $head;
    $self->{headers} = [ map { [ split /:[ \t]*/, $_, 2 ] } @lines ];
    $self->{body} = $body;
    $self->{length} = CORE::length $body;

    defined $error ? $self->fail($error) : $self->finish();
    return $self;
}

###############################################################################

1;

###############################################################################
