//! What a virtual router says: advertisements, announcements, notices.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::ops::Range;

use super::{State, Surroundings, VirtualRouter};
use crate::vrrp::receive::ChecksumForm;
use crate::wire::authentication_header::{self, AuthenticationHeader};
use crate::wire::trailer::{self, Trailer};
use crate::wire::{
    AddressList, Advertisement, Body, GROUP, PROTOCOL_AUTHENTICATION_HEADER, PROTOCOL_VRRP, Sequence, advertisement,
    ipv4, ipv6,
};
use crate::{
    Authentication, Cause, ChecksumPolicy, Event, Family, FaultReason, HmacMode, Instant, LinkId, Notice, NoticeKind,
    Output, Priority, StateName, Transport, Version,
};

impl VirtualRouter {
    pub(super) fn advertise(&mut self, now: Instant, out: &mut Vec<Output>) {
        let State::Active(active) = &mut self.state else { return };
        active.advertised_at = now;
        active.advertise_at = now + self.config.advertisement_interval.as_duration();
        self.send(now, self.effective_priority, out);
    }

    pub(super) fn resign(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.statistics.priority_zero_sent += 1;
        self.send(now, Priority::RESIGN, out);
        out.push(Output::Tell(Event::Resigned { router: self.id }));
    }

    pub(super) fn send(&mut self, now: Instant, priority: Priority, out: &mut Vec<Output>) {
        self.statistics.advertisements_sent += 1;
        let sequence = match &self.config.authentication {
            Authentication::Hmac(policy) if policy.mode != HmacMode::ReceiveOnly => {
                self.freshness.next(now, policy.anti_replay).number()
            }
            Authentication::Header(_) => u64::from(self.freshness.next_count()),
            Authentication::Hmac(_) | Authentication::None | Authentication::SimplePassword(_) => 0,
        };
        out.push(Output::Advertise { router: self.id, priority, sequence });
    }

    /// Round 0 is for when the addresses may be looked for elsewhere.
    pub(super) fn announce_all(
        &self,
        now: Instant,
        rounds: Range<u32>,
        around: &mut Surroundings<'_>,
        out: &mut Vec<Output>,
    ) {
        let all: Vec<_> = self.placed(&self.config).map(|(link, address)| (link, address.address)).collect();
        self.announce(now, &all, rounds, around, out);
    }

    /// All of it, as when the role came.
    pub(crate) fn announce_again(&self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        if matches!(self.state, State::Active(_)) {
            self.announce_all(now, 0..self.config.announce.repeat, around, out);
        }
    }

    /// What lies beside the way of the advertisements, once more.
    pub(super) fn announce_elsewhere(&self, now: Instant, around: &mut Surroundings<'_>, out: &mut Vec<Output>) {
        let Some(elsewhere) = &self.config.announce.elsewhere else { return };
        let links: Vec<LinkId> = elsewhere.links.iter().map(|name| around.links.id(name)).collect();
        let there = self.placed(&self.config).filter(|(link, _)| links.contains(link));
        let there: Vec<_> = there.map(|(link, address)| (link, address.address)).collect();
        self.announce(now, &there, 1..2, around, out);
    }

    pub(super) fn announce(
        &self,
        now: Instant,
        addresses: &[(LinkId, IpAddr)],
        rounds: Range<u32>,
        around: &mut Surroundings<'_>,
        out: &mut Vec<Output>,
    ) {
        if rounds.is_empty() {
            return;
        }
        for (link, address) in addresses.iter().copied() {
            out.push(Output::Tell(Event::Announcing { router: self.id, link, address }));
        }
        // Round by round, so that every address is announced once before any is announced again.
        for round in rounds {
            for (link, address) in addresses.iter().copied() {
                let pacing = match address {
                    IpAddr::V4(_) => self.config.announce.pacing,
                    IpAddr::V6(_) => self.config.announce.neighbour_pacing,
                };
                around.announcer.announce(now, (self.id, link, address), round, pacing, out);
            }
        }
    }

    pub(super) fn notify(&mut self, kind: NoticeKind, out: &mut Vec<Output>) {
        if kind != NoticeKind::ActiveHeardLowerPriority {
            self.notified = Some(kind);
        }
        out.push(Output::Notify(Notice { router: self.id, kind, priority: self.effective_priority }));
    }

    /// Faults are told when the first real one is there; a check that has not run yet is none.
    pub(super) fn notify_fault(&mut self, out: &mut Vec<Output>) {
        if self.faults.iter().all(FaultReason::is_pending) || self.notified == Some(NoticeKind::Fault) {
            return;
        }
        if self.notified.is_none() {
            let (from, to) = (StateName::Initialize, StateName::Initialize);
            out.push(Output::Tell(Event::StateChanged { router: self.id, from, to, cause: Cause::Fault }));
        }
        self.notify(NoticeKind::Fault, out);
    }

    /// What the checksum of version 3 covers in what we send.
    fn checksum_form(&self, destination: IpAddr) -> ChecksumForm {
        let by_unicast = !destination.is_multicast();
        match (self.config.deviations.checksum, self.peer_checksum_form) {
            // RFC 9568 §5.2.8: here all agree.
            _ if self.config.family == Family::Ipv6 => ChecksumForm::WithPseudoHeader,
            (ChecksumPolicy::MessageOnly, _) => ChecksumForm::MessageOnly,
            (ChecksumPolicy::OldUnicast, _) | (ChecksumPolicy::Automatic, Some(ChecksumForm::OldUnicast))
                if by_unicast =>
            {
                ChecksumForm::OldUnicast
            }
            _ => ChecksumForm::WithPseudoHeader,
        }
    }

    /// Writes an advertisement from the IP header on.
    pub(crate) fn write<'b>(
        &self,
        priority: Priority,
        sequence: u64,
        destination: IpAddr,
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        let source = self.last_source.filter(|source| self.may_send_from(*source, destination))?;
        let (protocol, before) = match self.config.authentication {
            Authentication::Header(_) => (PROTOCOL_AUTHENTICATION_HEADER, authentication_header::LENGTH),
            Authentication::None | Authentication::SimplePassword(_) | Authentication::Hmac(_) => (PROTOCOL_VRRP, 0),
        };
        let header_length = match destination {
            IpAddr::V4(_) => ipv4::HEADER_LENGTH,
            IpAddr::V6(_) => ipv6::HEADER_LENGTH,
        };
        let payload = buffer.get_mut(header_length + before..)?;
        let length = before + self.write_payload(priority, sequence, (source, destination), payload)?;
        let ttl = match self.config.transport {
            Transport::Multicast { .. } => crate::wire::TTL,
            Transport::Unicast { ttl, .. } => ttl,
        };
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                // Counts from 1 and wraps around, as keepalived's does, but for 0: the kernel would put something else
                // there, and an authentication header covers it.
                let identification = (self.statistics.advertisements_sent.wrapping_sub(1) % 0xffff + 1) as u16;
                ipv4::write_header(buffer, (source, destination), protocol, ttl, identification, length)?;
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let kind = (protocol, ipv6::INTERNETWORK_CONTROL);
                ipv6::write_header(buffer, (source, destination), kind, ttl, length)?;
            }
            _ => return None,
        }
        let packet = buffer.get_mut(..header_length + length)?;
        if let (Authentication::Header(password), IpAddr::V4(source)) = (&self.config.authentication, source) {
            // It is one of ours: `sequence` was a count of 32 bits.
            let header = AuthenticationHeader { spi: source, sequence: sequence as u32 };
            authentication_header::write(header, password, packet)?;
        }
        Some(packet)
    }

    /// Writes the advertisement and what stands behind it to the beginning of `payload`, and returns how long that is.
    fn write_payload(
        &self,
        priority: Priority,
        sequence: u64,
        (source, destination): (IpAddr, IpAddr),
        payload: &mut [u8],
    ) -> Option<usize> {
        let interval = self.config.advertisement_interval.as_centiseconds();
        let body = match self.config.version {
            Version::V2 => {
                let (auth_type, authentication_data) = match &self.config.authentication {
                    Authentication::None | Authentication::Hmac(_) => (0, [0; 8]),
                    Authentication::SimplePassword(password) => (1, **password),
                    Authentication::Header(_) => (2, [0; 8]),
                };
                // Version 2 intervals are whole seconds up to 255.
                Body::V2 { auth_type, adver_int: (interval / 100) as u8, authentication_data }
            }
            Version::V3 => Body::V3 { max_advertise_interval: interval },
        };
        let addresses = AddressList::new(self.config.family, &self.advertised)?;
        let advertisement = Advertisement { vrid: self.config.vrid, priority, addresses, body };
        let form = self.checksum_form(destination);
        let summed = if form == ChecksumForm::OldUnicast { GROUP.into() } else { destination };
        let written = advertisement::encode(&advertisement, source, summed, payload)?;
        if form == ChecksumForm::MessageOnly {
            advertisement::sum_message_alone(written);
        }
        let length = written.len();
        let policy = match &self.config.authentication {
            Authentication::Hmac(policy) if policy.mode != HmacMode::ReceiveOnly => policy,
            Authentication::Hmac(_)
            | Authentication::None
            | Authentication::SimplePassword(_)
            | Authentication::Header(_) => return Some(length),
        };
        let key = policy.keys.get(&policy.active_key)?;
        let trailer = Trailer { key: policy.active_key, sequence: Sequence::from_number(sequence) };
        let sealed = trailer::write(trailer, key, source, written)?;
        let whole = payload.get_mut(..length + trailer::LENGTH)?;
        whole.get_mut(length..)?.copy_from_slice(&sealed);
        if self.config.family == Family::Ipv6 {
            advertisement::sum_everything(whole, source, destination);
        }
        Some(whole.len())
    }
}
