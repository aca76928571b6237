package Test::Registry::Source;

# Copyright (C) The ngx_registry_module authors

# The sources of credentials of AWS: IMDSv2, the endpoint of ECS, that of EKS
# Pod Identity, and STS.  It looks at what it is sent as they do, and fails
# when told to.
#
#     my $source = Test::Registry::Source->new();
#     $source->issue(id => 'ASIA1', secret => 's', token => 't', life => 3600);
#     $source->rotate($s3);         # a new set, which S3 knows; the old one
#                                   # it calls expired
#     is($source->count(path => qr/token$/), 1, 'asked once');

###############################################################################

use warnings;
use strict;

use Digest::SHA qw/ sha256_hex /;
use Fcntl qw/ O_WRONLY O_APPEND O_CREAT /;
use IO::Socket::INET;
use JSON::PP ();
use POSIX qw/ strftime _exit /;
use Storable qw/ nstore retrieve /;
use Time::HiRes qw/ sleep time /;

use Test::Registry::SigV4;
use Test::Registry::Util qw/
    temp_dir free_port write_file read_lines spawn wait_port wait_for
    uri_escape uri_unescape
/;

my $Count = 0;

###############################################################################

# role, region; keys: those that sign AssumeRole; web_token, pod_token: what
# must be sent; external_id

sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        port => free_port(), dir => temp_dir('source-' . $Count++), sets => 0,
    }, $class;

    $self->{state} = {
        role => 'node-role', region => 'eu-central-1', faults => [],
        clock => 0, keys => {}, %opt
    };

    write_file("$self->{dir}/requests", '');
    $self->save();
    return $self->start();
}


sub port { $_[0]{port} }
sub url { "http://127.0.0.1:$_[0]{port}" }


sub start {
    my ($self) = @_;

    $self->{process} = spawn(sub { serve_all($self->{port}, $self->{dir}) },
        log => "$self->{dir}/log");
    wait_port($self->{port}) or die "the source does not start\n";
    return $self;
}


# From now on connections are refused.

sub stop {
    my ($self) = @_;

    (delete $self->{process})->stop('KILL') if $self->{process};
    return $self;
}


sub set {
    my ($self, %state) = @_;

    @{$self->{state}}{keys %state} = values %state;
    $self->save();
    return $self;
}


sub save {
    my ($self) = @_;

    nstore($self->{state}, "$self->{dir}/state.new");
    rename "$self->{dir}/state.new", "$self->{dir}/state";
    return;
}


# What is handed out from now on: id, secret, token, life in seconds; expires
# (text) instead of life; without both of them there is no Expiration.

sub issue {
    my ($self, %set) = @_;

    $set{expires} //= strftime('%Y-%m-%dT%H:%M:%SZ',
        gmtime(time() + $self->{state}{clock} + $set{life}))
        if defined $set{life};

    return $self->set(set => \%set);
}


# The same with names of its own; both S3 and the source know it at once.

sub rotate {
    my ($self, $s3, %set) = @_;

    my $n = ++$self->{sets};
    my $old = $self->{state}{set}{id};
    my $tag = "$$-$self->{port}-$n";

    %set = (id => sprintf('ASIA%012d%04d', $self->{port}, $n),
        secret => "secret/of/set/$tag/" . 'S' x 20,
        token => "token/of/set/$tag/" . 'T' x 300, life => 3600, %set);

    # as AWS does: the new one is there before the old one is not
    $s3->key($set{id}, secret => $set{secret}, token => $set{token});
    $self->issue(%set);
    $s3->key($old, %{$s3->{state}{keys}{$old}}, expired => 1)
        if defined $old && $s3->{state}{keys}{$old};

    return $self->{state}{set};
}


# Requests fail whose path matches: status, body, hang => 1, latency => 2,
# close => 1, times => 2.

sub fault {
    my ($self, %fault) = @_;

    $fault{path} = "$fault{path}" if defined $fault{path};
    push @{$self->{state}{faults}}, \%fault;
    $self->save();
    return $self;
}


sub clear_faults {
    my ($self) = @_;
    return $self->set(faults => []);
}


# Requests so far: hashes of time, method, path, status, headers, body

sub requests {
    my ($self, %filter) = @_;

    return grep {
        my $r = $_;
        !grep { ref $filter{$_} ? ($r->{$_} // '') !~ $filter{$_}
            : ($r->{$_} // '') ne $filter{$_} } keys %filter
    } map { JSON::PP->new->decode($_) } read_lines("$self->{dir}/requests");
}


sub count { my ($self, @filter) = @_;
    return scalar(() = $self->requests(@filter));
}


sub wait_request {
    my ($self, $n, @filter) = @_;
    return wait_for(sub { $self->count(@filter) >= $n });
}


sub forget {
    my ($self) = @_;

    truncate "$self->{dir}/requests", 0;
    return $self;
}


# Environments that lead to it.

sub imds_env {
    my ($self) = @_;
    return (AWS_EC2_METADATA_DISABLED => 'false',
        AWS_EC2_METADATA_SERVICE_ENDPOINT => $self->url);
}


sub container_env {
    my ($self, %more) = @_;
    return (AWS_CONTAINER_CREDENTIALS_FULL_URI => $self->url
        . '/v1/credentials', %more);
}


sub web_env {
    my ($self, $file, $arn) = @_;
    return (AWS_WEB_IDENTITY_TOKEN_FILE => $file,
        AWS_ROLE_ARN => $arn // 'arn:aws:iam::123456789012:role/reader',
        AWS_ENDPOINT_URL_STS => $self->url);
}

###############################################################################

# The process of the server: one child for each connection.

sub serve_all {
    my ($port, $dir) = @_;

    my $listener = IO::Socket::INET->new(Proto => 'tcp', Listen => 128,
        LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
        or die "listen: $!\n";

    $SIG{CHLD} = 'IGNORE';
    $SIG{PIPE} = 'IGNORE';
    $0 = 'source of credentials';

    while (1) {
        my $client = $listener->accept() or next;
        my $pid = fork() // next;

        if ($pid == 0) {
            close $listener;
            eval { serve($client, $dir); 1 } or print STDERR $@;
            _exit(0);
        }

        close $client;
    }
}


sub serve {
    my ($client, $dir) = @_;

    my $buffer = '';
    my %hits;

    while (1) {
        until ($buffer =~ /\r\n\r\n/) {
            sysread $client, $buffer, 65536, length $buffer or return;
        }

        $buffer =~ s/^(.*?)\r\n\r\n//s;
        my ($line, @lines) = split /\r\n/, $1;
        my ($method, $path) = split / /, $line;
        my @headers = map { [ split /:\s*/, $_, 2 ] } @lines;
        my %h = map { lc $_->[0] => $_->[1] } @headers;

        while (length $buffer < ($h{'content-length'} // 0)) {
            sysread $client, $buffer, 65536, length $buffer or return;
        }

        my $body = substr $buffer, 0, $h{'content-length'} // 0, '';

        my $state = retrieve("$dir/state");
        my $r = { method => $method, path => $path, headers => \%h,
            list => \@headers, body => $body, state => $state };

        my ($fault) = grep { !defined $_->{path} || $path =~ /$_->{path}/ }
            @{$state->{faults}};

        if ($fault) {
            note($dir, $r, 0) if $fault->{hang} || $fault->{close};
            sleep $fault->{hang} if $fault->{hang};
            return if $fault->{hang} || $fault->{close};
            sleep $fault->{latency} if $fault->{latency};
        }

        my ($status, $type, $answer) =
            $fault && (defined $fault->{status} || defined $fault->{body})
            ? ($fault->{status} // 200, 'text/plain', $fault->{body} // '')
            : answer($r);

        note($dir, $r, $status);

        my $date = strftime('%a, %d %b %Y %H:%M:%S GMT',
            gmtime(time() + $state->{clock}));

        syswrite $client, join("\r\n", "HTTP/1.1 $status Status",
            "Date: $date", "Content-Type: $type",
            'Content-Length: ' . length $answer, '', '') . $answer;
    }
}


sub note {
    my ($dir, $r, $status) = @_;

    sysopen my $fh, "$dir/requests", O_WRONLY | O_APPEND | O_CREAT;
    syswrite $fh, JSON::PP->new->encode({ time => time(),
        status => $status, map { $_ => $r->{$_} }
            qw/ method path headers body / }) . "\n";
    close $fh;
    return;
}


sub answer {
    my ($r) = @_;

    return sts($r) if $r->{method} eq 'POST';
    return imds($r) if $r->{path} =~ m{^/latest/};
    return container($r);
}


sub set_json {
    my ($set, %more) = @_;

    return JSON::PP->new->pretty->encode({ AccessKeyId => $set->{id},
        SecretAccessKey => $set->{secret},
        defined $set->{token} ? (Token => $set->{token}) : (),
        defined $set->{expires} ? (Expiration => $set->{expires}) : (),
        %more });
}


# EC2 User Guide, Use IMDSv2

sub imds {
    my ($r) = @_;

    my $state = $r->{state};
    my $token = "imds-token-$state->{role}";

    if ($r->{path} eq '/latest/api/token') {
        my $ttl = $r->{headers}{'x-aws-ec2-metadata-token-ttl-seconds'} // '';

        return (405, 'text/plain', '') if $r->{method} ne 'PUT';
        return (403, 'text/plain', '') if $r->{headers}{'x-forwarded-for'};
        return (400, 'text/plain', '')
            if $ttl !~ /^\d+$/ || $ttl < 1 || $ttl > 21600;
        return (200, 'text/plain', $token);
    }

    return (405, 'text/plain', '') if $r->{method} ne 'GET';

    # IMDSv1 is off
    return (401, 'text/plain', '')
        if ($r->{headers}{'x-aws-ec2-metadata-token'} // '') ne $token;

    return (200, 'text/plain', $state->{region})
        if $r->{path} eq '/latest/meta-data/placement/region';

    return (404, 'text/plain', 'Not Found') if !length $state->{role};
    return (200, 'text/plain', $state->{role})
        if $r->{path} eq '/latest/meta-data/iam/security-credentials/';
    return (404, 'text/plain', 'Not Found') if $r->{path}
        ne "/latest/meta-data/iam/security-credentials/$state->{role}";

    return (200, 'text/plain', set_json($state->{set}, Code => 'Success',
        LastUpdated => '2026-01-01T00:00:00Z', Type => 'AWS-HMAC'));
}


# ECS, EKS Pod Identity: the agent of EKS writes code and message in lower case

sub container {
    my ($r) = @_;

    my $state = $r->{state};
    my $json = 'application/json';

    return (405, $json, '{"code":"MethodNotAllowed","message":"no"}')
        if $r->{method} ne 'GET';
    return (400, $json, '{"code":"InvalidRequest","message":"Accept"}')
        if ($r->{headers}{accept} // '') ne 'application/json';
    return (401, $json,
        '{"code":"AccessDeniedException","message":"wrong token"}')
        if defined $state->{pod_token}
            && ($r->{headers}{authorization} // '') ne $state->{pod_token};

    return (200, $json, set_json($state->{set}, AccountId => '123456789012'));
}


# STS API Reference

sub sts {
    my ($r) = @_;

    my $state = $r->{state};
    my %form = map { my ($n, $v) = split /=/, $_, 2; $n => uri_unescape($v) }
        split /&/, $r->{body};

    return refusal(400, 'InvalidAction', 'no such action')
        if $r->{path} ne '/' || ($form{Version} // '') ne '2011-06-15'
            || ($r->{headers}{'content-type'} // '')
                !~ m{^application/x-www-form-urlencoded};
    return refusal(400, 'ValidationError', 'RoleArn')
        if ($form{RoleArn} // '') !~ m{^arn:aws[\w-]*:iam::\d{12}:role/};
    return refusal(400, 'ValidationError', 'RoleSessionName')
        if ($form{RoleSessionName} // '') !~ /^[\w+=,.@-]{2,64}$/;
    return refusal(400, 'ValidationError', 'DurationSeconds')
        if defined $form{DurationSeconds}
            && $form{DurationSeconds} !~ /^(?:9\d\d|[1-9]\d{3,4})$/;

    if ($form{Action} eq 'AssumeRoleWithWebIdentity') {
        return refusal(400, 'MissingAuthenticationToken', 'signed')
            if $r->{headers}{authorization};
        return refusal(400, 'InvalidIdentityToken', 'wrong token')
            if ($form{WebIdentityToken} // '') ne ($state->{web_token} // '');

    } elsif ($form{Action} eq 'AssumeRole') {
        my @wrong = Test::Registry::SigV4::verify({ method => 'POST',
            target => $r->{path}, headers => $r->{list},
            body_sha256 => sha256_hex($r->{body}) },
            { region => $state->{region}, service => 'sts',
              keys => $state->{keys}, time => time() + $state->{clock} });

        return refusal(403, $wrong[1] eq 'RequestTimeTooSkewed'
            ? 'SignatureDoesNotMatch' : $wrong[1], $wrong[2]) if @wrong;
        return refusal(403, 'AccessDenied', 'not authorized to perform: '
            . 'sts:AssumeRole') if defined $state->{external_id}
                && ($form{ExternalId} // '') ne $state->{external_id};

    } else {
        return refusal(400, 'InvalidAction', 'no such action');
    }

    my %set = %{$state->{assumed}{$form{RoleArn}} // $state->{set}};

    return (200, 'text/xml', <<"XML");
<$form{Action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <$form{Action}Result>
    <AssumedRoleUser>
      <AssumedRoleId>AROAEXAMPLE:$form{RoleSessionName}</AssumedRoleId>
      <Arn>$form{RoleArn}</Arn>
    </AssumedRoleUser>
    <Credentials>
      <SessionToken>$set{token}</SessionToken>
      <AccessKeyId>$set{id}</AccessKeyId>
      <SecretAccessKey>$set{secret}</SecretAccessKey>
      <Expiration>$set{expires}</Expiration>
    </Credentials>
  </$form{Action}Result>
  <ResponseMetadata><RequestId>c6104cbe</RequestId></ResponseMetadata>
</$form{Action}Response>
XML
}


sub refusal {
    my ($status, $code, $message) = @_;

    return ($status, 'text/xml', <<"XML");
<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>$code</Code><Message>$message</Message></Error>
  <RequestId>c6104cbe</RequestId>
</ErrorResponse>
XML
}

###############################################################################

1;

###############################################################################
